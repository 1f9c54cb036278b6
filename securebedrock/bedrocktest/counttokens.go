package bedrocktest

import (
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// countTokens counts as the usage of the same prompt would.
func (s *Server) countTokens(w http.ResponseWriter, r *request) error {
	in, _ := r.call.Input.(*bedrockruntime.CountTokensInput)
	var n int
	switch v := in.Input.(type) {
	case *types.CountTokensInputMemberConverse:
		n = promptTokens(v.Value.System, v.Value.Messages)
	case *types.CountTokensInputMemberInvokeModel:
		family, err := s.familyOf(aws.ToString(in.ModelId), v.Value.Body)
		if err != nil {
			return err
		}
		converse := &bedrockruntime.ConverseInput{}
		if _, err := family.read(v.Value.Body, converse); err != nil {
			return err
		}
		n = promptTokens(converse.System, converse.Messages)
	default:
		return invalid("The input is missing.")
	}
	return s.respond(w, r, http.StatusOK, &bedrockruntime.CountTokensOutput{InputTokens: aws.Int32(int32(n))})
}
