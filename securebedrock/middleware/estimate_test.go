package middleware

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Whatever a body asks for, an estimate and its cost are not negative.
func FuzzEstimate(f *testing.F) {
	for _, s := range []string{
		`{"max_tokens":5,"n":3,"thinking":{"budget_tokens":9}}`, `{"textGenerationConfig":{"maxTokenCount":1e300}}`, `{"max_tokens":-1}`,
		`{"max_tokens":9007199254740992,"num_generations":9007199254740992}`, `{"inferenceConfig":[],"max_tokens":"x","uri":"s3://a"}`, `[`, ``,
	} {
		f.Add([]byte(s), "anthropic.x")
	}
	f.Add([]byte(`{}`), "arn:aws:bedrock:r::foundation-model/amazon.titan-embed")
	f.Fuzz(func(t *testing.T, body []byte, model string) {
		call := &securebedrock.Call{Model: securebedrock.Model{ID: model}, Input: &bedrockruntime.InvokeModelInput{Body: body}}
		u := EstimateTokens(call)
		a := Price{Input: 3, Output: 15_000_000, CacheWrite: 7}.amount(u, cachesForAnHour(call.Input))
		if u.InputTokens < 0 || u.OutputTokens < 0 || a.Tokens < 0 || a.Cost < 0 {
			t.Fatalf("%+v, %+v", u, a)
		}
		if name := nameOf(model); nameOf(name) != name && nameOf(name) == "" {
			t.Fatalf("%q is named %q", model, name)
		}
	})
}
