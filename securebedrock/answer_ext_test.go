package securebedrock_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// An answer of status 200 that lacks what it is for is an error, with no output.
func TestIncompleteAnswers(t *testing.T) {
	answers := map[string][]string{ // by operation: what is incomplete; then, last, what is not
		"Converse": {`{}`, ``, `{"stopReason":"end_turn"}`, `{"output":{},"stopReason":"end_turn"}`, `{"output":{"message":{}},"stopReason":"end_turn"}`,
			`{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}}}`, `{"output":null,"stopReason":null}`, `{"other":1}`,
			`{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn"}`},
		"InvokeModel":           {``, `{"embedding":[1]}`},
		"ApplyGuardrail":        {`{}`, ``, `{"outputs":[],"assessments":[]}`, `{"action":"NONE"}`},
		"InvokeGuardrailChecks": {`{}`, ``, `{"results":{}}`},
		"CountTokens":           {`{}`, ``, `{"inputTokens":0}`},
		"StartAsyncInvoke":      {`{}`, ``, `{"invocationArn":""}`, `{"invocationArn":"arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc"}`},
		"GetAsyncInvoke":        {`{}`, ``, `{"status":"Completed"}`, `{"invocationArn":"arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc","status":"Completed"}`},
		"ListAsyncInvokes":      {`{}`},
	}
	for op, bodies := range answers {
		for i, body := range bodies {
			t.Run(op+"/"+body, func(t *testing.T) {
				rec := new(recorder)
				c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					w.Header().Set("Content-Type", "application/json")
					io.WriteString(w, body)
				}), rec.option, func(o *opts) { o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "public"} })
				none, err := unary(t.Context(), c, op)
				if i == len(bodies)-1 {
					if err != nil {
						t.Errorf("got %v", err)
					}
					return
				}
				refusedBy(t, err, securebedrock.ErrAnswerIncomplete)
				if !none {
					t.Error("the answer was given all the same")
				}
				if r := rec.one(t); r.outcome.Err == nil || r.outcome.Attempts != 1 {
					t.Errorf("outcome %+v", r.outcome)
				}
			})
		}
	}
}

// unary calls an operation and reports whether it returned no output.
func unary(ctx context.Context, c *client, op string) (none bool, err error) {
	switch op {
	case "Converse":
		out, err := c.Converse(ctx, converse("hello"))
		return out == nil, err
	case "InvokeModel":
		out, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
		return out == nil, err
	case "ApplyGuardrail":
		out, err := c.ApplyGuardrail(ctx, applyGuardrail(bedrocktest.DefaultGuardrailID, "1"))
		return out == nil, err
	case "InvokeGuardrailChecks":
		out, err := c.InvokeGuardrailChecks(ctx, guardrailChecks())
		return out == nil, err
	case "CountTokens":
		out, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku),
			Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("hello")}}})
		return out == nil, err
	case "StartAsyncInvoke":
		out, err := c.StartAsyncInvoke(ctx, startAsync())
		return out == nil, err
	case "GetAsyncInvoke":
		out, err := c.GetAsyncInvoke(ctx, &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String("arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc")})
		return out == nil, err
	}
	out, err := c.ListAsyncInvokes(ctx, &bedrockruntime.ListAsyncInvokesInput{})
	return out == nil, err
}
