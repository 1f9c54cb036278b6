package otelbedrock_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A span has what the tokens were cached for and the tier, which both change the price.
func TestSpanHasTTLAndTier(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		out := bedrocktest.Text("x")
		out.ServiceTier = &types.ServiceTier{Type: types.ServiceTierTypeFlex}
		out.Usage = &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(2), TotalTokens: aws.Int32(33), CacheWriteInputTokens: aws.Int32(30),
			CacheDetails: []types.CacheDetail{{Ttl: types.CacheTTLOneHour, InputTokens: aws.Int32(20)}, {Ttl: types.CacheTTLFiveMinutes, InputTokens: aws.Int32(10)}}}
		return out, nil
	})
	tm := newTelemetry()
	c := newClient(t, server, through(tm.middleware(t)))
	if _, err := c.Converse(t.Context(), converse("x")); err != nil {
		t.Fatal(err)
	}
	want(t, tm.one(t), map[string]string{
		"gen_ai.usage.input_tokens": "31", "gen_ai.usage.cache_creation.input_tokens": "30",
		"securebedrock.cache_write_1h_tokens": "20", "securebedrock.service_tier": "flex",
	})
}
