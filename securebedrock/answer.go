package securebedrock

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// complete refuses an answer of status 200 that lacks what it is for. The SDK takes
// "{}", and an empty body, for an answer whose every member is unset, though the
// API's model requires them. A member that only tells about the answer, such as
// usage, is not demanded: without it the caller still has what was asked for.
func complete(out any) error {
	var missing string
	lacks := func(member string, absent bool) {
		if absent && missing == "" {
			missing = member
		}
	}
	switch out := out.(type) {
	case *bedrockruntime.ConverseOutput:
		lacks("output", out.Output == nil)
		if m, ok := out.Output.(*types.ConverseOutputMemberMessage); ok {
			lacks("output.message.content", m.Value.Content == nil)
		}
		lacks("stopReason", out.StopReason == "")
	case *bedrockruntime.InvokeModelOutput:
		lacks("body", len(out.Body) == 0)
	case *bedrockruntime.ApplyGuardrailOutput:
		lacks("action", out.Action == "")
	case *bedrockruntime.InvokeGuardrailChecksOutput:
		lacks("results", out.Results == nil)
	case *bedrockruntime.CountTokensOutput:
		lacks("inputTokens", out.InputTokens == nil)
	case *bedrockruntime.StartAsyncInvokeOutput:
		lacks("invocationArn", aws.ToString(out.InvocationArn) == "")
	case *bedrockruntime.GetAsyncInvokeOutput:
		lacks("invocationArn", aws.ToString(out.InvocationArn) == "")
		lacks("status", out.Status == "")
	}
	if missing == "" {
		return nil
	}
	return refuse(ErrAnswerIncomplete, "its status is 200 and it has no "+missing+"; what answered may be no Bedrock, or a proxy before one")
}
