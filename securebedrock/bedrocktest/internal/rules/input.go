// Package rules refuses what Bedrock refuses beyond the constraints of its API
// model: unknown models, and what the documentation and Bedrock's messages say
// of conversations and bodies. No message repeats a value of a request.
package rules

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// CheckInput refuses an input that breaks a rule beyond the API's model.
func CheckInput(input any) error {
	switch in := input.(type) {
	case *bedrockruntime.ConverseInput:
		return checkConverse(in)
	case *bedrockruntime.ConverseStreamInput:
		return checkConverse(wire.Unary(in))
	case *bedrockruntime.InvokeModelInput:
		return checkInvoke(aws.ToString(in.ModelId), in.Body, in.ContentType, in.Accept)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		return checkInvoke(aws.ToString(in.ModelId), in.Body, in.ContentType, in.Accept)
	case *bedrockruntime.CountTokensInput:
		switch v := in.Input.(type) {
		case *types.CountTokensInputMemberConverse:
			return checkConverse(&bedrockruntime.ConverseInput{
				ModelId: in.ModelId, Messages: v.Value.Messages, System: v.Value.System, ToolConfig: v.Value.ToolConfig,
				AdditionalModelRequestFields: v.Value.AdditionalModelRequestFields,
			})
		case *types.CountTokensInputMemberInvokeModel:
			return checkBody(aws.ToString(in.ModelId), v.Value.Body)
		}
	case *bedrockruntime.ApplyGuardrailInput:
		return checkGuardrailContent(in.Content)
	}
	return nil
}
