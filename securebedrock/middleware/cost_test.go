package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

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

// A call that failed before the model produced anything costs nothing.
func TestBudgetOfCallsThatProducedNothing(t *testing.T) {
	const estimate = 1000
	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault
		want  int64
	}{
		{"throttled in the first frame", bedrocktest.Exception(0, "throttlingException", "no"), 0},
		{"refused in the first frame", bedrocktest.Exception(0, "validationException", "no"), 0},
		{"failed in the first frame", bedrocktest.Exception(0, "modelStreamErrorException", "no"), 0},
		{"throttled before the stream", bedrocktest.Throttle(1), 0},
		{"redirected", bedrocktest.Redirect(307, "http://127.0.0.1:1"), 0},
		{"throttled in the midst of an answer", bedrocktest.Exception(3, "throttlingException", "no"), -1},
	} {
		for _, route := range []string{"ConverseStream", "InvokeModelWithResponseStream"} {
			t.Run(row.name+", "+route, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				server.Fail(route, row.fault)
				store := watch()
				c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Tokens: 5000, Store: store, OnError: ignore, Estimate: tokens(estimate)})))
				if err := send(t, c, route, "", ""); err == nil {
					t.Fatal("no error")
				}
				eventually(t, "the call is settled", func() bool { _, n := store.now(); return n == 1 })
				if n, _ := store.now(); n.Tokens != row.want && (row.want >= 0 || n.Tokens == 0) {
					t.Errorf("it cost %d tokens", n.Tokens)
				}
			})
		}
	}
	t.Run("no server is there", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		store := watch()
		o := server.Options()
		o.Role = nil // whose credentials could not be had either
		o.Retry.MaxAttempts = 1
		o.Middleware = []securebedrock.Middleware{must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Tokens: 5000, Store: store, OnError: ignore, Estimate: tokens(estimate)}))}
		c, err := securebedrock.NewFromConfig(server.Config(), o)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		server.Close()
		if _, err := c.Converse(t.Context(), converse("x")); err == nil {
			t.Fatal("no error")
		}
		if n, settled := store.now(); n.Tokens != 0 || settled != 1 {
			t.Errorf("it cost %d tokens, settled %d times", n.Tokens, settled)
		}
	})
	t.Run("a prompt that the guardrail blocked", func(t *testing.T) {
		for _, route := range []string{"Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream"} {
			server := bedrocktest.NewServer(t)
			server.AddGuardrail(bedrocktest.Guardrail{ID: bedrocktest.DefaultGuardrailID, DeniedWords: []string{"x"}})
			store := watch()
			c := newClient(t, server, must(t)(middleware.Budget(middleware.BudgetOptions{Window: century, Tokens: 5000, Store: store, OnError: ignore, Estimate: tokens(estimate)})))
			if err := send(t, c, route, "", ""); err != nil {
				t.Fatal(err)
			}
			eventually(t, "the call is settled", func() bool { _, n := store.now(); return n == 1 })
			if n, _ := store.now(); n.Tokens != 0 {
				t.Errorf("%s cost %d tokens", route, n.Tokens)
			}
		}
	})
}

// A refusal tells how much was needed, how much is left, and until when.
func TestBudgetRefusalHasNumbers(t *testing.T) {
	h := must(t)(middleware.Budget(middleware.BudgetOptions{Name: "team", Window: time.Hour, Tokens: 1000, Cost: 5000, Estimate: func(c *securebedrock.Call) securebedrock.Usage {
		return securebedrock.Usage{InputTokens: int64(len(c.Input.(string)))}
	}, Prices: []middleware.Price{{Model: "*", Input: 2_000_000}}}))(func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { panic("sent") })
	try := func(n int) *middleware.BudgetError {
		defer func() { _ = recover() }()
		_, err := h(t.Context(), &securebedrock.Call{Operation: "Converse", Model: securebedrock.Model{ID: haiku}, Input: strings.Repeat("x", n)})
		var b *middleware.BudgetError
		if !errors.As(err, &b) {
			t.Errorf("%d: %v", n, err)
		}
		return b
	}
	try(700)
	b := try(400)
	if b.Needed != (middleware.Amount{Tokens: 400, Cost: 800}) || b.Left != (middleware.Amount{Tokens: 300, Cost: 3600}) || !b.Frees.Equal(middleware.WindowEnd(time.Now(), time.Hour)) {
		t.Errorf("%+v", b)
	}
	for _, words := range []string{"400 tokens and a cost of 800 may be needed", "300 tokens and a cost of 3600 left", "ends at " + b.Frees.UTC().Format(time.RFC3339)} {
		if !strings.Contains(b.Error(), words) {
			t.Errorf("%q is not in %v", words, b)
		}
	}
	b = try(1001)
	if b.Needed != (middleware.Amount{Tokens: 1001, Cost: 2002}) || b.Left.Tokens != 300 || !b.Frees.IsZero() || !strings.Contains(b.Error(), "1001 tokens and a cost of 2002 of 1000 tokens and a cost of 5000") {
		t.Errorf("%+v", b)
	}
}

// Spellings of one model share its budget, its price and its limits; a profile and
// the model that it runs do not.
func TestSpellingsOfOneModel(t *testing.T) {
	never := func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { panic("sent") }
	budget := func(prices ...middleware.Price) securebedrock.Middleware {
		o := middleware.BudgetOptions{Window: century, Tokens: 10, Estimate: tokens(10), Key: middleware.PerModel}
		if prices != nil {
			o.Cost, o.Prices = 1000, prices
		}
		return must(t)(middleware.Budget(o))
	}
	for name, mw := range map[string]func() securebedrock.Middleware{
		"PerModel": func() securebedrock.Middleware { return budget() },
		"PerModel with prices of IDs": func() securebedrock.Middleware {
			return budget(middleware.Price{Model: haiku}, middleware.Price{Model: profile})
		},
		"PerModel with prices of ARNs": func() securebedrock.Middleware {
			return budget(middleware.Price{Model: haikuARN}, middleware.Price{Model: profileARN})
		},
		"Rate": func() securebedrock.Middleware {
			return must(t)(middleware.Rate(middleware.RateOptions{PerSecond: 1e-9, Refuse: true}))
		},
		"Concurrency": func() securebedrock.Middleware {
			return must(t)(middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 1, Refuse: true}))
		},
		"Concurrency's Models with ARN": func() securebedrock.Middleware {
			return must(t)(middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 9, Models: map[string]int64{haikuARN: 1, profileARN: 1}, Refuse: true}))
		},
	} {
		for _, spellings := range [][2]string{{haiku, haikuARN}, {haikuARN, haiku}, {profile, profileARN}, {profileARN, profile}} {
			next := securebedrock.Handler(never)
			held := make(chan struct{})
			var wg sync.WaitGroup
			if strings.HasPrefix(name, "Concurrency") {
				entered := make(chan struct{}, 2)
				next = func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) {
					entered <- struct{}{}
					<-held
					return nil, nil
				}
				h := mw()(next)
				wg.Go(func() { _, _ = h(t.Context(), call(spellings[0])) })
				<-entered
				refused := make(chan error, 1)
				wg.Go(func() {
					_, err := h(t.Context(), call(spellings[1]))
					refused <- err
				})
				select {
				case err := <-refused:
					if !errors.Is(err, middleware.ErrConcurrency) {
						t.Errorf("%s: %s beside %s: %v", name, spellings[1], spellings[0], err)
					}
				case <-entered:
					t.Errorf("%s: %s passes beside %s", name, spellings[1], spellings[0])
				}
				wg.Go(func() { _, _ = h(t.Context(), call("meta.llama3-8b-instruct-v1:0")) })
				<-entered
				close(held)
				wg.Wait()
				continue
			}
			h := mw()(next)
			passes := func(model string) (ok bool) {
				defer func() { ok = recover() != nil }()
				_, _ = h(t.Context(), call(model))
				return false
			}
			other := map[string]string{haiku: profile, haikuARN: profileARN, profile: haiku, profileARN: haikuARN}[spellings[0]]
			if first, second, apart := passes(spellings[0]), passes(spellings[1]), passes(other); !first || second || !apart {
				t.Errorf("%s: %s passes %t, %s then %t, %s %t", name, spellings[0], first, spellings[1], second, other, apart)
			}
		}
	}
	if _, err := middleware.Concurrency(middleware.ConcurrencyOptions{Limit: 1, Models: map[string]int64{haiku: 1, haikuARN: 2}}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Errorf("two limits of one model: %v", err)
	}
}

// The largest answer that a call may have, under every name and in every place.
func TestEstimateOfOutput(t *testing.T) {
	names := []string{"max_tokens", "maxTokens", "max_completion_tokens", "max_gen_len", "max_tokens_to_sample", "maxTokenCount", "max_new_tokens", "maxNewTokens", "max_output_tokens", "maxOutputTokens", "maxCompletionTokens"}
	estimate := func(in any) int64 { return middleware.EstimateTokens(&securebedrock.Call{Input: in}).OutputTokens }
	for _, name := range names {
		for _, form := range []string{`{"%s":5000}`, `{"%s":50.0,"inferenceConfig":{"%[1]s":5000}}`, `{"textGenerationConfig":{"%s":5000}}`, `{"parameters":{"%s":5000}}`, `{"%s":5000,"%[1]s":1}`, `{"%s":5000,"thinking":"on","n":"many"}`} {
			raw := fmt.Sprintf(form, name)
			for route, in := range map[string]any{
				"InvokeModel":                   &bedrockruntime.InvokeModelInput{Body: []byte(raw)},
				"InvokeModelWithResponseStream": &bedrockruntime.InvokeModelWithResponseStreamInput{Body: []byte(raw)},
			} {
				if n := estimate(in); n != 5000 {
					t.Errorf("%s with %s: %d", route, raw, n)
				}
			}
		}
		own := lazy(map[string]any{name: 5000})
		if n := estimate(&bedrockruntime.ConverseInput{AdditionalModelRequestFields: own}); n != 5000 {
			t.Errorf("Converse with %s: %d", name, n)
		}
		if n := estimate(&bedrockruntime.ConverseStreamInput{AdditionalModelRequestFields: lazy(map[string]any{"inferenceConfig": map[string]any{name: 5000}}), InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(100)}}); n != 5000 {
			t.Errorf("ConverseStream with %s: %d", name, n)
		}
	}
	for _, row := range []struct {
		name string
		in   any
		want int64
	}{
		{"a thinking budget and no bound", &bedrockruntime.ConverseInput{AdditionalModelRequestFields: lazy(map[string]any{"thinking": map[string]any{"type": "enabled", "budget_tokens": 4000}})}, 4000 + 1024},
		{"a thinking budget within a bound", &bedrockruntime.ConverseInput{InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(6000)}, AdditionalModelRequestFields: lazy(map[string]any{"reasoning_config": map[string]any{"budget_tokens": 4000}})}, 6000},
		{"a thinking budget over the bound", &bedrockruntime.InvokeModelInput{Body: []byte(`{"max_tokens":100,"thinking":{"budget_tokens":4000}}`)}, 4000},
		{"several answers", &bedrockruntime.InvokeModelInput{Body: []byte(`{"max_tokens":100,"n":5}`)}, 500},
		{"a bound in a tool's schema is none", &bedrockruntime.InvokeModelInput{Body: []byte(`{"tools":[{"max_tokens":9}],"messages":[{"max_tokens":9}]}`)}, 1024},
	} {
		if n := estimate(row.in); n != row.want {
			t.Errorf("%s: %d, want %d", row.name, n, row.want)
		}
	}
	for _, model := range []string{titanEmbed, "cohere.embed-multilingual-v3", "arn:aws:bedrock:us-east-1::foundation-model/" + titanEmbed} {
		c := call(model)
		c.Input = &bedrockruntime.InvokeModelInput{Body: []byte(`{"inputText":"abc"}`)}
		if u := middleware.EstimateTokens(c); u.OutputTokens != 0 || u.InputTokens != 7 {
			t.Errorf("%s: %+v", model, u)
		}
	}
}

// What is booked for content that is no text, and for content that is not there.
func TestEstimateOfMedia(t *testing.T) {
	s3 := types.S3Location{Uri: aws.String("s3://bucket/key")}
	for _, row := range []struct {
		name  string
		block types.ContentBlock
		want  int64
	}{
		{"an image in S3", &types.ContentBlockMemberImage{Value: types.ImageBlock{Source: &types.ImageSourceMemberS3Location{Value: s3}}}, 2000},
		{"an image in S3 in a tool's result", &types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{Content: []types.ToolResultContentBlock{
			&types.ToolResultContentBlockMemberImage{Value: types.ImageBlock{Source: &types.ImageSourceMemberS3Location{Value: s3}}}}}}, 2000},
		{"a document in S3", &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Source: &types.DocumentSourceMemberS3Location{Value: s3}}}, 20_000},
		{"a video in S3", &types.ContentBlockMemberVideo{Value: types.VideoBlock{Source: &types.VideoSourceMemberS3Location{Value: s3}}}, 20_000},
		{"a recording in S3", &types.ContentBlockMemberAudio{Value: types.AudioBlock{Source: &types.AudioSourceMemberS3Location{Value: s3}}}, 20_000},
		{"a short PDF", &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Format: "pdf", Source: &types.DocumentSourceMemberBytes{Value: make([]byte, 100)}}}, 2000},
		{"a long PDF", &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Format: "pdf", Source: &types.DocumentSourceMemberBytes{Value: make([]byte, 3_000_000)}}}, 100_000},
		{"a text as a document", &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Format: "txt", Source: &types.DocumentSourceMemberBytes{Value: make([]byte, 3_000_000)}}}, 1_000_000},
		{"a long video", &types.ContentBlockMemberVideo{Value: types.VideoBlock{Source: &types.VideoSourceMemberBytes{Value: make([]byte, 4_000_000)}}}, 10_000},
		{"an image", &types.ContentBlockMemberImage{Value: types.ImageBlock{Source: &types.ImageSourceMemberBytes{Value: make([]byte, 1<<20)}}}, 2000},
	} {
		in := &bedrockruntime.ConverseInput{Messages: []types.Message{{Content: []types.ContentBlock{row.block}}}}
		if n := middleware.EstimateTokens(&securebedrock.Call{Input: in}).InputTokens; n < row.want || n > row.want+10 {
			t.Errorf("%s: %d, want %d", row.name, n, row.want)
		}
	}
	for _, raw := range []string{`{"image":{"source":{"s3Location":{"uri":"s3://bucket/key"}}}}`, `{"uri":"s3:\/\/bucket\/key"}`} {
		if n := middleware.EstimateTokens(&securebedrock.Call{Input: &bedrockruntime.InvokeModelInput{Body: []byte(raw)}}).InputTokens; n < 20_000 || n > 20_100 {
			t.Errorf("%s: %d", raw, n)
		}
	}
}
