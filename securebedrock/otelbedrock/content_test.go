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
		for range out.GetStream().Events() { //nolint:revive // read to the end
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
