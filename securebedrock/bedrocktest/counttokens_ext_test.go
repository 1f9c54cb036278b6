package bedrocktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func TestCountTokens(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		for _, input := range []types.CountTokensInput{
			&types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{
				Messages: user("one two three"), System: []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "four"}},
			}},
			&types.CountTokensInputMemberInvokeModel{Value: types.InvokeModelTokensRequest{Body: invokeBody(t, "one two three four")}},
		} {
			out, err := client(s).CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: aws.String(model), Input: input})
			if err != nil || *out.InputTokens != 4 {
				t.Errorf("%+v, %v", out, err)
			}
		}
	})
}
