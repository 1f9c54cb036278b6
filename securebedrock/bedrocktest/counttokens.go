package bedrocktest

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
)

// countTokens counts what the usage of the same prompt would have.
func (s *chats) countTokens(w *responder, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.CountTokensInput)
	var n int
	switch v := in.Input.(type) {
	case *types.CountTokensInputMemberConverse:
		n = conversation.PromptTokens(v.Value.System, v.Value.Messages)
	case *types.CountTokensInputMemberInvokeModel:
		form, err := s.profiles.Find(aws.ToString(in.ModelId), v.Value.Body)
		if err != nil {
			return err
		}
		converse := &bedrockruntime.ConverseInput{}
		if _, err := form.Read(v.Value.Body, converse); err != nil {
			return err
		}
		n = conversation.PromptTokens(converse.System, converse.Messages)
	default:
		return wire.Invalid("The input is missing.")
	}
	return w.respond(&bedrockruntime.CountTokensOutput{InputTokens: aws.Int32(int32(n))})
}
