package audit_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A record has what the tokens were cached for and the tier, which both change the price.
func TestRecordHasTTLAndTier(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		out := bedrocktest.Text("x")
		out.ServiceTier = &types.ServiceTier{Type: types.ServiceTierTypeFlex}
		out.Usage = &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(2), TotalTokens: aws.Int32(33), CacheWriteInputTokens: aws.Int32(30),
			CacheDetails: []types.CacheDetail{{Ttl: types.CacheTTLOneHour, InputTokens: aws.Int32(20)}, {Ttl: types.CacheTTLFiveMinutes, InputTokens: aws.Int32(10)}}}
		return out, nil
	})
	sink := new(memory)
	c := newClient(t, server, sink, audit.Options{})
	if _, err := c.Converse(t.Context(), converse("x")); err != nil {
		t.Fatal(err)
	}
	_, out := sink.pair(t)
	if want := (audit.Usage{InputTokens: 1, OutputTokens: 2, CacheWriteTokens: 30, CacheWrite5mTokens: 10, CacheWrite1hTokens: 20, TotalTokens: 33}); *out.Usage != want || out.ServiceTier != "flex" {
		t.Errorf("usage %+v, tier %q", out.Usage, out.ServiceTier)
	}
}
