package bedrocktest_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestCountTokens(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		for _, input := range []types.CountTokensInput{
			&types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{
				Messages: probe.User("one two three"), System: []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "four"}},
			}},
			&types.CountTokensInputMemberInvokeModel{Value: types.InvokeModelTokensRequest{Body: probe.InvokeBody(t, "one two three four")}},
		} {
			out, err := probe.Client(s).CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: aws.String(probe.Model), Input: input})
			if err != nil || *out.InputTokens != 4 {
				t.Errorf("%+v, %v", out, err)
			}
		}
	})
}
