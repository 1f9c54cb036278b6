package otelbedrock_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func excuse(o *securebedrock.Options) {
	o.UnguardedOperations = map[string]string{
		"StartAsyncInvoke": "nightly batch", "InvokeModelWithBidirectionalStream": "public demo",
	}
	o.Role = nil
}

// operation calls one operation so that it succeeds.
type operation struct {
	sdk, span string
	call      func(ctx context.Context, c *securebedrock.Client) error
}

func operations() []operation {
	const reel = "amazon.nova-reel-v1:0"
	startAsync := func(ctx context.Context, c *securebedrock.Client) (string, error) {
		out, err := c.StartAsyncInvoke(ctx, &bedrockruntime.StartAsyncInvokeInput{
			ModelId: aws.String(reel), ModelInput: document.NewLazyDocument(map[string]any{"text": "a boat"}),
			OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{
				Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket/out")}},
		})
		if err != nil {
			return "", err
		}
		return *out.InvocationArn, nil
	}
	return []operation{
		{"Converse", "chat " + haiku, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.Converse(ctx, converse("hello"))
			return err
		}},
		{"ConverseStream", "chat " + haiku, func(ctx context.Context, c *securebedrock.Client) error {
			out, err := c.ConverseStream(ctx, converseStream("hello"))
			if err != nil {
				return err
			}
			defer out.GetStream().Close()
			return drain(out.GetStream())
		}},
		{"InvokeModel", "generate_content " + haiku, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
			return err
		}},
		{"InvokeModelWithResponseStream", "generate_content " + haiku, func(ctx context.Context, c *securebedrock.Client) error {
			out, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
			if err != nil {
				return err
			}
			defer out.GetStream().Close()
			for range out.GetStream().Events() { //nolint:revive // read to the end
			}
			return out.GetStream().Err()
		}},
		{"InvokeModelWithBidirectionalStream", "generate_content amazon.nova-sonic-v1:0", func(ctx context.Context, c *securebedrock.Client) error {
			out, err := c.InvokeModelWithBidirectionalStream(ctx, &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String("amazon.nova-sonic-v1:0")})
			if err != nil {
				return err
			}
			es := out.GetStream()
			defer es.Close()
			err = es.Send(ctx, &types.InvokeModelWithBidirectionalStreamInputMemberChunk{
				Value: types.BidirectionalInputPayloadPart{Bytes: []byte(`{"event":{"textInput":{"content":"hello"}}}`)}})
			if err != nil {
				return err
			}
			// Read to the end: where Close comes first, the Outcome's Err is now and
			// then the SDK's "io: read/write on closed pipe".
			if err := es.Writer.Close(); err != nil {
				return err
			}
			for range es.Events() { //nolint:revive // read to the end
			}
			return nil
		}},
		{"StartAsyncInvoke", "start_async_invoke " + reel, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := startAsync(ctx, c)
			return err
		}},
		{"GetAsyncInvoke", "get_async_invoke", func(ctx context.Context, c *securebedrock.Client) error {
			arn, err := startAsync(ctx, c)
			if err != nil {
				return err
			}
			_, err = c.GetAsyncInvoke(ctx, &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String(arn)})
			return err
		}},
		{"ListAsyncInvokes", "list_async_invokes", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.ListAsyncInvokes(ctx, &bedrockruntime.ListAsyncInvokesInput{})
			return err
		}},
		{"ApplyGuardrail", "apply_guardrail", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.ApplyGuardrail(ctx, &bedrockruntime.ApplyGuardrailInput{
				GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"), Source: types.GuardrailContentSourceInput,
				Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("hello")}}},
			})
			return err
		}},
		{"InvokeGuardrailChecks", "invoke_guardrail_checks", func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.InvokeGuardrailChecks(ctx, &bedrockruntime.InvokeGuardrailChecksInput{
				Messages: []types.GuardrailChecksMessage{{
					Role:    types.GuardrailChecksRoleUser,
					Content: []types.GuardrailChecksContentBlock{&types.GuardrailChecksContentBlockMemberText{Value: "hello"}},
				}},
				Checks: &types.GuardrailChecksConfig{},
			})
			return err
		}},
		{"CountTokens", "count_tokens " + haiku, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku),
				Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("three little words")}}})
			return err
		}},
	}
}

func TestEveryOperationHasASpanOfItsName(t *testing.T) {
	for _, op := range operations() {
		t.Run(op.sdk, func(t *testing.T) {
			server, tm := bedrocktest.NewServer(t), newTelemetry()
			c := newClient(t, server, through(tm.middleware(t)), excuse)
			if err := op.call(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			settled(t, "the spans' end", func() bool { return len(tm.spans.Ended()) > 0 && len(tm.spans.Ended()) == len(tm.spans.Started()) })
			ended := tm.spans.Ended()
			span := ended[len(ended)-1]
			if span.Name() != op.span || span.SpanKind() != trace.SpanKindClient || span.Status().Code != codes.Unset {
				t.Errorf("span %q, kind %v, status %v", span.Name(), span.SpanKind(), span.Status())
			}
			name, model, _ := strings.Cut(op.span, " ")
			if model == "" {
				model = "-"
			}
			want(t, span, map[string]string{
				"gen_ai.operation.name": name, "gen_ai.provider.name": "aws.bedrock", "gen_ai.request.model": model,
				"server.address": "127.0.0.1", "cloud.region": "us-east-1",
				"securebedrock.operation": op.sdk, "securebedrock.attempts": "1", "securebedrock.throttled": "0",
				"error.type": "-", "securebedrock.rule": "-",
			})
			if attributes(span)["aws.request_id"].String() == "" && op.sdk != "InvokeModelWithBidirectionalStream" {
				t.Error("no request ID")
			}
			if len(span.Events()) != 0 {
				t.Errorf("events %v", span.Events())
			}
			if span.InstrumentationScope().Name != ownScope || !strings.Contains(span.InstrumentationScope().SchemaURL, "1.41.0") {
				t.Errorf("scope %+v", span.InstrumentationScope())
			}
		})
	}
}

func TestASpanTellsWhatWasAskedAndAnswered(t *testing.T) {
	for _, row := range []struct {
		name   string
		in     func(*bedrockruntime.ConverseInput)
		opts   func(*securebedrock.Options)
		answer *bedrockruntime.ConverseOutput
		want   map[string]string
	}{
		{"the inference parameters, as they were meant", func(in *bedrockruntime.ConverseInput) {
			in.InferenceConfig = &types.InferenceConfiguration{MaxTokens: aws.Int32(50), Temperature: aws.Float32(0.7), TopP: aws.Float32(0.9), StopSequences: []string{"stop here"}}
		}, nil, nil, map[string]string{
			"gen_ai.request.max_tokens": "50", "gen_ai.request.temperature": "0.7", "gen_ai.request.top_p": "0.9",
			"gen_ai.request.stop_sequences": "-", "gen_ai.request.stream": "-",
		}},
		{"the tokens, with those of the cache", nil, nil, &bedrockruntime.ConverseOutput{
			Output: bedrocktest.Text("fine").Output, StopReason: types.StopReasonEndTurn,
			Usage: &types.TokenUsage{InputTokens: aws.Int32(10), OutputTokens: aws.Int32(3), TotalTokens: aws.Int32(1013), CacheReadInputTokens: aws.Int32(900), CacheWriteInputTokens: aws.Int32(100)},
		}, map[string]string{
			"gen_ai.usage.input_tokens": "1010", "gen_ai.usage.output_tokens": "3",
			"gen_ai.usage.cache_read.input_tokens": "900", "gen_ai.usage.cache_creation.input_tokens": "100",
			"gen_ai.response.finish_reasons": `["end_turn"]`,
		}},
		{"the guardrail, which had nothing to say", nil, nil, nil, map[string]string{
			"aws.bedrock.guardrail.id": bedrocktest.DefaultGuardrailID, "securebedrock.guardrail.version": "1",
			"securebedrock.guardrail.applied": "true", "securebedrock.guardrail.intervened": "-", "securebedrock.guardrail.policies": "-",
			"securebedrock.unguarded.reason": "-",
		}},
		{"the guardrail's intervention", func(in *bedrockruntime.ConverseInput) { in.Messages = userSays("how do I build a bomb?") }, nil, nil, map[string]string{
			"securebedrock.guardrail.applied": "true", "securebedrock.guardrail.intervened": "true", "securebedrock.guardrail.policies": `["word"]`,
			"securebedrock.guardrail.origin": `["REQUEST"]`, "gen_ai.response.finish_reasons": `["guardrail_intervened"]`, "error.type": "-",
		}},
		{"the guardrail's mask", func(in *bedrockruntime.ConverseInput) { in.Messages = userSays("write to ann@example.com") }, nil, nil, map[string]string{
			"securebedrock.guardrail.intervened": "true", "securebedrock.guardrail.policies": `["sensitiveInformation"]`,
		}},
		{"the reason for having no guardrail", nil, func(o *securebedrock.Options) {
			o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "published texts only"
		}, nil, map[string]string{
			"securebedrock.unguarded.reason": "published texts only", "aws.bedrock.guardrail.id": "-", "securebedrock.guardrail.applied": "-",
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server, tm := bedrocktest.NewServer(t), newTelemetry()
			if row.answer != nil {
				server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) { return row.answer, nil })
			}
			if row.opts == nil {
				row.opts = func(*securebedrock.Options) {}
			}
			c := newClient(t, server, through(tm.middleware(t)), row.opts)
			in := converse("hello")
			if row.in != nil {
				row.in(in)
			}
			if _, err := c.Converse(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			span := tm.one(t)
			want(t, span, row.want)
			if span.Status().Code != codes.Unset {
				t.Errorf("status %v", span.Status())
			}
			tm.countedOnce(t)
		})
	}
}

func TestTheModelIsTheOneThatTheRulesJudged(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	const nova = "amazon.nova-pro-v1:0"
	c := newClient(t, server, through(tm.middleware(t), around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		call.Input.(*bedrockruntime.ConverseInput).ModelId = aws.String(nova)
		return next(ctx, call)
	})))
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	span := tm.one(t)
	if span.Name() != "chat "+nova {
		t.Errorf("span %q", span.Name())
	}
	want(t, span, map[string]string{"gen_ai.request.model": nova})
	if got := tm.durations(t)[0].Attributes; !strings.Contains(got.Encoded(attribute.DefaultEncoder()), nova) {
		t.Errorf("metric attributes %v", got.ToSlice())
	}
}

func TestAnEmbeddingModelEmbeds(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	c := newClient(t, server, through(tm.middleware(t)), func(o *securebedrock.Options) {
		o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "test"
	})
	_, _ = c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("amazon.titan-embed-text-v2:0"), Body: []byte(`{"inputText":"hello"}`)})
	if span := tm.one(t); span.Name() != "embeddings amazon.titan-embed-text-v2:0" {
		t.Errorf("span %q", span.Name())
	}
}

func TestAnApplyGuardrailSpanNamesTheGuardrailThatRan(t *testing.T) {
	server, tm := bedrocktest.NewServer(t), newTelemetry()
	c := newClient(t, server, through(tm.middleware(t)))
	_, err := c.ApplyGuardrail(t.Context(), &bedrockruntime.ApplyGuardrailInput{
		GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"), Source: types.GuardrailContentSourceInput,
		Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("build a bomb")}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want(t, tm.one(t), map[string]string{
		"aws.bedrock.guardrail.id": bedrocktest.DefaultGuardrailID, "securebedrock.guardrail.version": "1",
		"securebedrock.guardrail.intervened": "true", "securebedrock.guardrail.policies": `["word"]`,
	})
}
