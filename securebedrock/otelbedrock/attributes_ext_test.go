package otelbedrock_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const (
	canary = "canary-7q3z" // could be an identifier
	song   = "canary 7q3z" // could not
)

// everything is all that was exported, as one text.
func everything(t *testing.T, tm *telemetry) string {
	t.Helper()
	var b strings.Builder
	for _, s := range tm.spans.Ended() {
		fmt.Fprintf(&b, "%s %+v %+v %+v\n", s.Name(), s.Status(), s.Events(), s.Links())
		for _, kv := range s.Attributes() {
			fmt.Fprintf(&b, "  %s=%s\n", kv.Key, kv.Value.String())
		}
	}
	for name, m := range tm.metrics(t) {
		fmt.Fprintf(&b, "%s %s %s\n", name, m.Description, m.Unit)
		switch data := m.Data.(type) {
		case metricdata.Histogram[float64]:
			for _, p := range data.DataPoints {
				fmt.Fprintf(&b, "  %v %+v\n", p.Attributes.ToSlice(), p.Exemplars)
				if err := allowed(p.Attributes); err != nil {
					t.Error(err)
				}
			}
		case metricdata.Histogram[int64]:
			for _, p := range data.DataPoints {
				fmt.Fprintf(&b, "  %v %+v\n", p.Attributes.ToSlice(), p.Exemplars)
				if err := allowed(p.Attributes); err != nil {
					t.Error(err)
				}
			}
		default:
			t.Errorf("%s is a %T", name, data)
		}
	}
	return b.String()
}

func silent(t *testing.T, tm *telemetry, secrets ...string) {
	t.Helper()
	all := everything(t, tm)
	for _, secret := range append(secrets, canary, song, "7q3z") {
		if secret != "" && strings.Contains(all, secret) {
			t.Errorf("%q was exported:\n%s", secret, all)
		}
	}
}

// filled sets every string that a value holds, whatever it is for. Unions cannot
// be filled so; loaded has theirs.
func filled(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.CanSet() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		if !v.IsNil() {
			filled(v.Elem())
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				filled(v.Field(i))
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(canary))
			return
		}
		if v.Type().Elem().Kind() == reflect.Interface {
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		filled(v.Index(0))
	case reflect.Map:
		elem := reflect.New(v.Type().Elem()).Elem()
		filled(elem)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf(canary).Convert(v.Type().Key()), elem)
	case reflect.String:
		v.SetString(canary)
	}
}

// inputs are the inputs of all operations.
func inputs() []any {
	return []any{
		new(bedrockruntime.ConverseInput), new(bedrockruntime.ConverseStreamInput), new(bedrockruntime.InvokeModelInput),
		new(bedrockruntime.InvokeModelWithResponseStreamInput), new(bedrockruntime.InvokeModelWithBidirectionalStreamInput),
		new(bedrockruntime.StartAsyncInvokeInput), new(bedrockruntime.GetAsyncInvokeInput), new(bedrockruntime.ListAsyncInvokesInput),
		new(bedrockruntime.ApplyGuardrailInput), new(bedrockruntime.InvokeGuardrailChecksInput), new(bedrockruntime.CountTokensInput),
	}
}

// send calls the operation that takes the input, and reads a stream to its end.
func send(ctx context.Context, c *securebedrock.Client, in any) error {
	method := reflect.ValueOf(c).MethodByName(strings.TrimSuffix(reflect.TypeOf(in).Elem().Name(), "Input"))
	out := method.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(in)})
	if err, _ := out[1].Interface().(error); err != nil {
		return err
	}
	switch out := out[0].Interface().(type) {
	case *bedrockruntime.ConverseStreamOutput:
		return drain(out.GetStream())
	case *bedrockruntime.InvokeModelWithResponseStreamOutput:
		for range out.GetStream().Events() { // read to the end
		}
		return out.GetStream().Err()
	case *bedrockruntime.InvokeModelWithBidirectionalStreamOutput:
		return out.GetStream().Close()
	}
	return nil
}

func TestNoStringOfAnInputIsRecorded(t *testing.T) {
	for _, in := range inputs() {
		for _, model := range []string{canary, haiku} {
			t.Run(reflect.TypeOf(in).Elem().Name()+" of "+model, func(t *testing.T) {
				server, tm := bedrocktest.NewServer(t), newTelemetry()
				c := newClient(t, server, through(tm.middleware(t)), excuse)
				filled(reflect.ValueOf(in))
				if f := reflect.ValueOf(in).Elem().FieldByName("ModelId"); f.IsValid() {
					f.Set(reflect.ValueOf(aws.String(model)))
				}
				_ = send(t.Context(), c, in) // most are refused, in words that quote the input
				tm.one(t)
				silent(t, tm)
			})
		}
	}
}

// loaded is a Converse input with a text in every kind of block.
func loaded() *bedrockruntime.ConverseInput {
	doc := document.NewLazyDocument(map[string]any{canary: canary})
	guarded := func(text string) types.GuardrailConverseContentBlock {
		return &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String(text)}}
	}
	return &bedrockruntime.ConverseInput{
		ModelId: aws.String(haiku),
		System:  []types.SystemContentBlock{&types.SystemContentBlockMemberText{Value: song}, &types.SystemContentBlockMemberGuardContent{Value: guarded(song)}},
		Messages: []types.Message{
			{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: song}}},
			{Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{&types.ContentBlockMemberToolUse{
				Value: types.ToolUseBlock{Name: aws.String(canary), ToolUseId: aws.String(canary), Input: doc}}}},
			{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
				&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{ToolUseId: aws.String(canary),
					Content: []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: song}}}},
				&types.ContentBlockMemberText{Value: song},
			}},
		},
		ToolConfig: &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
			Name: aws.String(canary), Description: aws.String(song), InputSchema: &types.ToolInputSchemaMemberJson{
				Value: document.NewLazyDocument(map[string]any{"type": "object", canary: canary})}}}}},
		InferenceConfig:                   &types.InferenceConfiguration{StopSequences: []string{canary}},
		RequestMetadata:                   map[string]string{canary: canary},
		AdditionalModelRequestFields:      doc,
		AdditionalModelResponseFieldPaths: []string{"/" + canary},
	}
}

func TestNoContentIsRecorded(t *testing.T) {
	guardrail := bedrocktest.Guardrail{ID: bedrocktest.DefaultGuardrailID, DeniedWords: []string{"forbidden " + song}, BlockedInput: song, BlockedOutput: song,
		Topics: map[string][]string{"topic " + canary: {"talk about it"}}}
	stop := types.StopReason(song)
	for _, row := range []struct {
		name  string
		setup func(*bedrocktest.Server)
		inner func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error)
		in    any
	}{
		{name: "of a prompt in every kind of block", in: loaded()},
		{name: "of a prompt that is blocked", in: converse("forbidden " + song)},
		{name: "of a prompt on a denied topic", in: converse("talk about it")},
		{name: "of a stream that is blocked", in: converseStream("forbidden " + song)},
		{name: "of an InvokeModel body that is blocked", in: &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("forbidden " + song)}},
		{name: "of an InvokeModel stream", in: &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody(song)}},
		{name: "of an answer", in: converse("hello"), setup: func(s *bedrocktest.Server) {
			s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
				return bedrocktest.Text(song), nil
			})
		}},
		{name: "of a stop reason", in: converse("hello"), setup: func(s *bedrocktest.Server) {
			s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
				out := bedrocktest.Text("fine")
				out.StopReason = stop
				return out, nil
			})
		}},
		{name: "of an error's message", in: converse("hello"), setup: func(s *bedrocktest.Server) {
			s.Fail("Converse", bedrocktest.Error(400, "ValidationException", song))
		}},
		{name: "of an error's code", in: converse("hello"), setup: func(s *bedrocktest.Server) {
			s.Fail("Converse", bedrocktest.Error(400, song, song))
		}},
		{name: "of an exception in a stream", in: converseStream("hello"), setup: func(s *bedrocktest.Server) {
			s.Fail("ConverseStream", bedrocktest.Exception(1, "modelStreamErrorException", song))
		}},
		{name: "of a middleware's error", in: converse(song), inner: func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return nil, &smithy.GenericAPIError{Code: song, Message: song}
		}},
		{name: "of a middleware's refusal", in: converse(song), inner: func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return nil, &securebedrock.PolicyError{Rule: securebedrock.ErrAudit, Operation: canary, Model: canary, Detail: song}
		}},
		{name: "of a rule of a middleware's own", in: converse(song), inner: func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return nil, &securebedrock.PolicyError{Rule: errors.New(canary), Detail: song}
		}},
		{name: "of a panic", in: converse(song), inner: func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			panic(song)
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server, tm, kept := bedrocktest.NewServer(t), newTelemetry(), new(keeper)
			server.AddGuardrail(guardrail)
			if row.setup != nil {
				row.setup(server)
			}
			mws := []securebedrock.Middleware{tm.middleware(t), kept.middleware()}
			if row.inner != nil {
				mws = append(mws, around(row.inner))
			}
			c := newClient(t, server, through(mws...), func(o *securebedrock.Options) {
				o.Guardrail.AllowPartial = true
			})
			func() {
				defer func() { _ = recover() }()
				err := send(t.Context(), c, row.in)
				if row.setup == nil && row.inner == nil && err != nil {
					t.Error(err)
				}
			}()
			tm.one(t)
			secrets := []string{server.Credentials().AccessKeyID, server.Credentials().SecretAccessKey, "forbidden", "talk about it"}
			for _, o := range kept.outcomes {
				secrets = append(secrets, o.AccessKeyID)
			}
			silent(t, tm, secrets...)
		})
	}
}

// The correlation ID is the caller's own word: a span holds it where it is an
// identifier, and no token.
func TestCorrelationIDIsNoToken(t *testing.T) {
	server := bedrocktest.NewServer(t)
	for id, expected := range map[string]string{
		"request-4711": "request-4711",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln": "-",
		"user:AKIAIOSFODNN7EXAMPLE":                 "-",
		"what is my balance?":                       "-",
	} {
		tm := newTelemetry()
		c := newClient(t, server, func(o *securebedrock.Options) {
			o.Middleware = []securebedrock.Middleware{tm.middleware(t)}
		})
		if _, err := c.Converse(securebedrock.WithCorrelationID(t.Context(), id), converse("hello")); err != nil {
			t.Fatal(err)
		}
		want(t, tm.one(t), map[string]string{"securebedrock.call.correlation_id": expected})
	}
}

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
