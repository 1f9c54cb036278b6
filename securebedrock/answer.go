package securebedrock

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// incomplete refuses an answer of status 200 that lacks what it is for. The SDK
// takes "{}", and an empty body, for an answer whose every member is unset, though the
// API's model requires them. A member that only tells about the answer, such as usage,
// is not demanded: without it the caller still has what was asked for.
func incomplete(missing string) error {
	if missing == "" {
		return nil
	}
	return refuse(ErrAnswerIncomplete, "its status is 200 and it has no "+missing+"; what answered may be no Bedrock, or a proxy before one")
}

func converseLacks(out *bedrockruntime.ConverseOutput) string {
	message, ok := out.Output.(*types.ConverseOutputMemberMessage)
	switch {
	case out.Output == nil:
		return "output"
	case ok && message.Value.Content == nil:
		return "output.message.content"
	}
	return memberWhere("stopReason", out.StopReason == "")
}

func getAsyncInvokeLacks(out *bedrockruntime.GetAsyncInvokeOutput) string {
	if isEmpty(out.InvocationArn) {
		return "invocationArn"
	}
	return memberWhere("status", out.Status == "")
}

// memberWhere names a member that is absent.
func memberWhere(name string, absent bool) string {
	if absent {
		return name
	}
	return ""
}

func isEmpty(s *string) bool { return aws.ToString(s) == "" }
