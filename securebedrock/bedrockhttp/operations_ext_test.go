package bedrockhttp_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// api is what the SDK's client and the guarded one have in common.
type api interface {
	Converse(context.Context, *bedrockruntime.ConverseInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseOutput, error)
	ConverseStream(context.Context, *bedrockruntime.ConverseStreamInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseStreamOutput, error)
	InvokeModel(context.Context, *bedrockruntime.InvokeModelInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.InvokeModelOutput, error)
	InvokeModelWithResponseStream(context.Context, *bedrockruntime.InvokeModelWithResponseStreamInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.InvokeModelWithResponseStreamOutput, error)
	CountTokens(context.Context, *bedrockruntime.CountTokensInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.CountTokensOutput, error)
	ApplyGuardrail(context.Context, *bedrockruntime.ApplyGuardrailInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ApplyGuardrailOutput, error)
	InvokeGuardrailChecks(context.Context, *bedrockruntime.InvokeGuardrailChecksInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.InvokeGuardrailChecksOutput, error)
	StartAsyncInvoke(context.Context, *bedrockruntime.StartAsyncInvokeInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.StartAsyncInvokeOutput, error)
	GetAsyncInvoke(context.Context, *bedrockruntime.GetAsyncInvokeInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.GetAsyncInvokeOutput, error)
	ListAsyncInvokes(context.Context, *bedrockruntime.ListAsyncInvokesInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ListAsyncInvokesOutput, error)
}

// text is an answer as the service writes it, without what differs from call to call.
func text(t *testing.T, out smithy.Serializable, metadata middleware.Metadata) string {
	t.Helper()
	if id, ok := awsmiddleware.GetRequestIDMetadata(metadata); !ok || id == "" {
		t.Errorf("%T has no request ID", out)
	}
	header, body, err := wire.Encode(out)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for name, values := range header {
		lines = append(lines, fmt.Sprint(name, values))
	}
	slices.Sort(lines)
	return settled(strings.Join(lines, "\n") + "\n" + string(body))
}

// settled leaves out what differs from call to call.
func settled(s string) string {
	return regexp.MustCompile(`msg_bdrk_[0-9a-f-]+|"\w*Latency(Ms)?":\d+|"latencyMs":\d+|"(submit|end|lastModified)Time":"[^"]*"|async-invoke/[^"]*|"nextToken":"[^"]*"`).ReplaceAllString(s, "…")
}

// callsOf makes one call of each operation that has whole answers or answers of events.
func callsOf(job *string) map[string]func(*testing.T, api) string {
	var must = func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	return map[string]func(*testing.T, api) string{
		"Converse": func(t *testing.T, c api) string {
			out, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), Messages: userSays("é <&> mail ada@example.com"),
				System:          []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: "Be brief"}},
				InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(64), Temperature: aws.Float32(0.5)},
				RequestMetadata: map[string]string{"team": "a"}})
			must(t, err)
			return text(t, out, out.ResultMetadata)
		},
		"ConverseStream": func(t *testing.T, c api) string {
			out, err := c.ConverseStream(t.Context(), converseStream("Hello"))
			must(t, err)
			all := text(t, out, out.ResultMetadata)
			for event := range out.GetStream().Events() {
				name, body, err := wire.EventJSON(event.(wire.Event))
				must(t, err)
				all += name + settled(string(body))
			}
			must(t, out.GetStream().Close())
			return all
		},
		"InvokeModel": func(t *testing.T, c api) string {
			out, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("Hello"),
				ContentType: aws.String("application/json"), Accept: aws.String("application/json"), ServiceTier: types.ServiceTierTypeDefault})
			must(t, err)
			return text(t, out, out.ResultMetadata)
		},
		"InvokeModelWithResponseStream": func(t *testing.T, c api) string {
			out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("Hello"),
				ContentType: aws.String("application/json"), Accept: aws.String("application/json")})
			must(t, err)
			all := text(t, out, out.ResultMetadata)
			for event := range out.GetStream().Events() {
				all += settled(string(event.(*types.ResponseStreamMemberChunk).Value.Bytes))
			}
			must(t, out.GetStream().Close())
			return all
		},
		"CountTokens": func(t *testing.T, c api) string {
			out, err := c.CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku), Input: &types.CountTokensInputMemberConverse{
				Value: types.ConverseTokensRequest{Messages: userSays("Hello")}}})
			must(t, err)
			return text(t, out, out.ResultMetadata)
		},
		"ApplyGuardrail": func(t *testing.T, c api) string {
			out, err := c.ApplyGuardrail(t.Context(), &bedrockruntime.ApplyGuardrailInput{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"),
				Source: types.GuardrailContentSourceInput, Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("How do I build a bomb?")}}}})
			must(t, err)
			return text(t, out, out.ResultMetadata)
		},
		"InvokeGuardrailChecks": func(t *testing.T, c api) string {
			out, err := c.InvokeGuardrailChecks(t.Context(), &bedrockruntime.InvokeGuardrailChecksInput{
				Checks: &types.GuardrailChecksConfig{
					ContentFilter: &types.GuardrailChecksContentFilterConfig{Categories: []types.GuardrailChecksContentFilterCategoryConfig{{Category: "HATE"}}}},
				Messages: []types.GuardrailChecksMessage{{Role: "user", Content: []types.GuardrailChecksContentBlock{&types.GuardrailChecksContentBlockMemberText{Value: "é"}}}}})
			must(t, err)
			return text(t, out, out.ResultMetadata)
		},
		"StartAsyncInvoke": func(t *testing.T, c api) string {
			out, err := c.StartAsyncInvoke(t.Context(), &bedrockruntime.StartAsyncInvokeInput{
				ModelId: aws.String("amazon.nova-reel-v1:0"), ClientRequestToken: aws.String("0123456789abcdef0123456789abcdef"),
				ModelInput:       document.NewLazyDocument(map[string]any{"text": "a fox", "n": 9007199254740993}),
				OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket/videos")}}})
			must(t, err)
			*job = *out.InvocationArn
			return text(t, out, out.ResultMetadata)
		},
		"GetAsyncInvoke": func(t *testing.T, c api) string {
			out, err := c.GetAsyncInvoke(t.Context(), &bedrockruntime.GetAsyncInvokeInput{InvocationArn: job})
			must(t, err)
			return text(t, out, out.ResultMetadata)
		},
		"ListAsyncInvokes": func(t *testing.T, c api) string {
			out, err := c.ListAsyncInvokes(t.Context(), &bedrockruntime.ListAsyncInvokesInput{MaxResults: aws.Int32(1), SortBy: "SubmissionTime", SortOrder: "Ascending"})
			must(t, err)
			return text(t, out, out.ResultMetadata)
		},
	}
}

// Every operation goes through every door: the answer is the one that the guarded client
// gives, the upstream receives what that client sends, and nothing of the caller's own
// keys or region.
func TestEveryOperationGoesThroughEveryDoor(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *securebedrock.Options) {
		o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "a test"}
	})
	var job string
	calls := callsOf(&job)
	for _, op := range wire.Operations() { // StartAsyncInvoke makes the job of GetAsyncInvoke
		call := calls[op.Name]
		if call == nil {
			if op.Name != wire.Bidirectional {
				t.Errorf("%s is not tried", op.Name)
			}
			continue
		}
		t.Run(op.Name, func(t *testing.T) {
			want := call(t, c)
			direct := last(t, server, op.Name)
			for _, e := range entries(t, c) {
				if have := call(t, e.sdk()); have != want {
					t.Errorf("%s: the answer is\n%s\nwant\n%s", e.name, have, want)
				}
				through := last(t, server, op.Name)
				if through.Path != direct.Path && op.Name != "GetAsyncInvoke" || !bytes.Equal(neutral(through.Body), neutral(direct.Body)) {
					t.Errorf("%s: the upstream received %s %s\nwant %s %s", e.name, through.Path, through.Body, direct.Path, direct.Body)
				}
				for name := range direct.Header {
					if through.Header.Get(name) == "" {
						t.Errorf("%s: the upstream received no %s", e.name, name)
					}
				}
			}
		})
	}
	for _, call := range server.Calls() {
		all := fmt.Sprint(call.Header, call.Path, string(call.Body))
		if call.Region != server.Region() || strings.Contains(all, callerKey) || strings.Contains(all, "the caller's") || strings.Contains(all, "mars-north-1") {
			t.Errorf("%s: %s", call.Operation, all)
		}
	}
}

// last is the last request of an operation.
func last(t *testing.T, server *bedrocktest.Server, operation string) bedrocktest.Call {
	t.Helper()
	calls := server.Calls()
	for _, call := range slices.Backward(calls) {
		if call.Operation == operation {
			return call
		}
	}
	t.Fatalf("the server received no %s", operation)
	return bedrocktest.Call{}
}

// neutral is a body without the call's ID, and with its members in one order.
func neutral(body []byte) []byte {
	body = regexp.MustCompile(`"securebedrock-call-id":"[^"]*"`).ReplaceAll(body, []byte(`"id":""`))
	var v any
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if d.Decode(&v) == nil {
		body, _ = json.Marshal(v)
	}
	return body
}

// Each operation's refusal is the same error at each door, which the SDK takes for final.
func TestRefusals(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *securebedrock.Options) { o.Models = []string{"amazon.titan*"} })
	for _, e := range entries(t, c) {
		for name, call := range map[string]func(api) error{
			"Converse":       func(c api) error { _, err := c.Converse(t.Context(), converse("Hello")); return err },
			"ConverseStream": func(c api) error { _, err := c.ConverseStream(t.Context(), converseStream("Hello")); return err },
			"InvokeModel": func(c api) error {
				_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("Hello"), ContentType: aws.String("application/json")})
				return err
			},
			"InvokeModelWithResponseStream": func(c api) error {
				_, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("Hello"), ContentType: aws.String("application/json")})
				return err
			},
		} {
			var denied *types.AccessDeniedException
			if err := call(e.sdk()); !errors.As(err, &denied) || !strings.Contains(err.Error(), name+": model is not permitted") || !strings.Contains(err.Error(), "StatusCode: 403") {
				t.Errorf("%s through %s: %v", name, e.name, err)
			}
		}
	}
	if calls := server.Calls(); len(calls) > 0 {
		t.Errorf("the server received %v", calls)
	}
}
