package middleware_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

const (
	titanEmbed = "amazon.titan-embed-text-v2:0"
	haikuARN   = "arn:aws:bedrock:us-east-1::foundation-model/" + haiku
	profile    = "us." + haiku
	profileARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us." + haiku
)

// As many calls pass as the budget has room for, of a model whose body has no output.
func TestBudgetOfEmbeddings(t *testing.T) {
	const calls, eachInput = 2500, 3
	server := bedrocktest.NewServer(t)
	store := watch()
	c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Tokens: calls*eachInput + 100, Store: store, OnError: ignore})))
	for i := range calls {
		if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(titanEmbed), Body: []byte(`{"inputText":"one two three"}`)}); err != nil {
			t.Fatalf("call %d: %v", i, err)
		}
	}
	if n, _ := store.now(); n.Tokens != calls*eachInput {
		t.Errorf("%d tokens are spent by %d calls of %d", n.Tokens, calls, eachInput)
	}
}

// What tokens were written to the cache for, and the tier that served, make the price.
func TestBudgetOfTTLAndTier(t *testing.T) {
	prices := []middleware.Price{
		{Model: "anthropic.*", Tier: "priority", CacheWrite: 100_000_000},
		{Model: "anthropic.*", Tier: "flex", CacheWrite: 1_000_000},
		{Model: "anthropic.*", CacheWrite: 10_000_000, CacheRead: 1_000_000},
	}
	details := func(hour, minutes int32) []types.CacheDetail {
		return []types.CacheDetail{{Ttl: "1h", InputTokens: aws.Int32(hour)}, {Ttl: "5m", InputTokens: aws.Int32(minutes)}}
	}
	for _, row := range []struct {
		name    string
		usage   types.TokenUsage
		asked   string // the tier
		served  string
		cacheIn types.CacheTTL
		want    int64
	}{
		{"five minutes", types.TokenUsage{CacheWriteInputTokens: aws.Int32(100), CacheDetails: details(0, 100)}, "", "", "", 1000},
		{"an hour", types.TokenUsage{CacheWriteInputTokens: aws.Int32(100), CacheDetails: details(100, 0)}, "", "", "", 1600},
		{"some of each", types.TokenUsage{CacheWriteInputTokens: aws.Int32(100), CacheDetails: details(60, 40)}, "", "", "", 960 + 400},
		{"details alone", types.TokenUsage{CacheDetails: details(60, 40)}, "", "", "", 960 + 400},
		{"an hour that was asked for and is not told", types.TokenUsage{CacheWriteInputTokens: aws.Int32(100)}, "", "", types.CacheTTLOneHour, 1600},
		{"five minutes that were asked for and are not told", types.TokenUsage{CacheWriteInputTokens: aws.Int32(100)}, "", "", types.CacheTTLFiveMinutes, 1000},
		{"what is read", types.TokenUsage{CacheReadInputTokens: aws.Int32(100)}, "", "", "", 100},
		{"the priority tier", types.TokenUsage{CacheWriteInputTokens: aws.Int32(100)}, "priority", "", "", 10_000},
		{"the flex tier, an hour", types.TokenUsage{CacheWriteInputTokens: aws.Int32(100), CacheDetails: details(100, 0)}, "flex", "", "", 160},
		{"the default tier by its name", types.TokenUsage{CacheWriteInputTokens: aws.Int32(100)}, "default", "", "", 1000},
		{"the tier that served, and not the one that was asked for", types.TokenUsage{CacheWriteInputTokens: aws.Int32(100)}, "priority", "default", "", 1000},
	} {
		for _, route := range []string{"Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"} {
			t.Run(row.name+", "+route, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
					out, u := bedrocktest.Text("x"), row.usage
					u.InputTokens, u.OutputTokens, u.TotalTokens = aws.Int32(1), aws.Int32(1), aws.Int32(2)
					out.Usage = &u
					if row.served != "" {
						out.ServiceTier = &types.ServiceTier{Type: types.ServiceTierType(row.served)}
					}
					return out, nil
				})
				store := watch()
				c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Cost: 1 << 50, Prices: prices, Store: store, OnError: ignore})))
				if err := send(t, c, route, row.asked, row.cacheIn); err != nil {
					t.Fatal(err)
				}
				eventually(t, "the call is settled", func() bool { _, n := store.now(); return n == 1 })
				if n, _ := store.now(); n.Cost != row.want {
					t.Errorf("it cost %d, want %d", n.Cost, row.want)
				}
			})
		}
	}
	t.Run("a tier that can cost more needs a price of its own", func(t *testing.T) {
		c := newClient(t, bedrocktest.NewServer(t), must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Cost: 1 << 50, Prices: prices[2:]})))
		if err := send(t, c, "Converse", "priority", ""); !errors.Is(err, middleware.ErrBudget) || !strings.Contains(err.Error(), `tier "priority"`) {
			t.Errorf("priority: %v", err)
		}
		if err := send(t, c, "Converse", "flex", ""); err != nil {
			t.Errorf("flex: %v", err)
		}
	})
}

// send makes a call on one of the routes, and reads its stream.
func send(t *testing.T, c *securebedrock.Client, route, tier string, ttl types.CacheTTL) error {
	t.Helper()
	content := says("x")
	b := body("x")
	if ttl != "" {
		content[0].Content = append(content[0].Content, &types.ContentBlockMemberCachePoint{Value: types.CachePointBlock{Type: types.CachePointTypeDefault, Ttl: ttl}})
		b = []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"x","cache_control":{"type":"ephemeral","ttl":"` + string(ttl) + `"}}]}]}`)
	}
	var serviceTier *types.ServiceTier
	if tier != "" {
		serviceTier = &types.ServiceTier{Type: types.ServiceTierType(tier)}
	}
	switch route {
	case "Converse":
		_, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), Messages: content, ServiceTier: serviceTier})
		return err
	case "ConverseStream":
		out, err := c.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String(haiku), Messages: content, ServiceTier: serviceTier})
		if err != nil {
			return err
		}
		for range out.GetStream().Events() {
		}
		out.GetStream().Close()
		return out.GetStream().Err()
	case "InvokeModel":
		_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: b, ServiceTier: types.ServiceTierType(tier)})
		return err
	}
	out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: b, ServiceTier: types.ServiceTierType(tier)})
	if err != nil {
		return err
	}
	for range out.GetStream().Events() {
	}
	out.GetStream().Close()
	return out.GetStream().Err()
}
