package audit_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// unions are members of the SDK's unions, for plant to choose from.
func unions() []any {
	return []any{
		&types.ContentBlockMemberText{}, &types.ContentBlockMemberGuardContent{}, &types.ContentBlockMemberToolUse{}, &types.ContentBlockMemberToolResult{},
		&types.ContentBlockMemberReasoningContent{}, &types.ContentBlockMemberImage{}, &types.ContentBlockMemberDocument{}, &types.ContentBlockMemberVideo{},
		&types.ContentBlockMemberAudio{}, &types.ContentBlockMemberSearchResult{}, &types.ContentBlockMemberCitationsContent{},
		&types.SystemContentBlockMemberText{}, &types.SystemContentBlockMemberGuardContent{}, &types.GuardrailConverseContentBlockMemberText{},
		&types.ToolResultContentBlockMemberText{}, &types.ToolResultContentBlockMemberJson{}, &types.ToolResultContentBlockMemberDocument{},
		&types.ReasoningContentBlockMemberReasoningText{}, &types.DocumentSourceMemberText{}, &types.DocumentSourceMemberS3Location{},
		&types.ImageSourceMemberBytes{}, &types.ImageSourceMemberS3Location{}, &types.VideoSourceMemberS3Location{}, &types.AudioSourceMemberBytes{},
		&types.CitationGeneratedContentMemberText{}, &types.CitationSourceContentMemberText{}, &types.CitationLocationMemberWeb{},
		&types.ToolMemberToolSpec{}, &types.ToolMemberSystemTool{}, &types.ToolInputSchemaMemberJson{}, &types.ToolChoiceMemberTool{},
		&types.PromptVariableValuesMemberText{}, &types.OutputFormatStructureMemberJsonSchema{}, &types.GuardrailContentBlockMemberText{},
		&types.GuardrailChecksContentBlockMemberText{}, &types.CountTokensInputMemberConverse{}, &types.CountTokensInputMemberInvokeModel{},
		&types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{},
	}
}

// plant writes the canary into every string and byte slice below v.
func plant(v reflect.Value, canary string, depth int) {
	if depth > 14 || !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(canary)
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		plant(v.Elem(), canary, depth+1)
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != "ResultMetadata" {
				plant(v.Field(i), canary, depth+1)
			}
		}
	case reflect.Slice:
		if v.Type().Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(canary))
			return
		}
		if v.Type().Elem().Kind() == reflect.Interface { // one of each
			for _, u := range unions() {
				if reflect.TypeOf(u).Implements(v.Type().Elem()) {
					u := reflect.New(reflect.TypeOf(u).Elem())
					plant(u.Elem(), canary, depth+1)
					v.Set(reflect.Append(v, u))
				}
			}
			return
		}
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		plant(v.Index(0), canary, depth+1)
	case reflect.Map:
		k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		plant(k, canary, depth+1)
		plant(e, canary, depth+1)
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(k, e)
	case reflect.Interface:
		if reflect.TypeOf(document("")).Implements(v.Type()) {
			v.Set(reflect.ValueOf(document(map[string]any{canary: canary})))
			return
		}
		for _, u := range unions() {
			if reflect.TypeOf(u).Implements(v.Type()) {
				u := reflect.New(reflect.TypeOf(u).Elem())
				plant(u.Elem(), canary, depth+1)
				v.Set(u)
				return
			}
		}
	}
}

// safeBuffer is a bytes.Buffer for several goroutines.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}
func (s *safeBuffer) Sync() error { return nil }
func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// No sink's output holds a prompt, an answer, a guardrail's match, a credential or
// a token, with the default options, in any operation, fault or refusal.
func TestNothingLeaks(t *testing.T) {
	const denied = "build a bomb"
	server := bedrocktest.NewServer(t)
	server.Reply(func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return &bedrockruntime.ConverseOutput{StopReason: "CANARY of a stop reason", Output: &types.ConverseOutputMemberMessage{Value: types.Message{
			Role: types.ConversationRoleAssistant, Content: []types.ContentBlock{
				&types.ContentBlockMemberText{Value: "CANARY answer, mail canary@example.com"},
				&types.ContentBlockMemberToolUse{Value: types.ToolUseBlock{Name: aws.String("CANARYtool"), ToolUseId: aws.String("CANARYid"), Input: document(map[string]any{"CANARY": "CANARY"})}},
			}}}}, nil
	})

	zapped, slogged, lines, chained, asynced := new(safeBuffer), new(safeBuffer), new(safeBuffer), new(safeBuffer), new(safeBuffer)
	path := filepath.Join(t.TempDir(), "audit.log")
	file, err := audit.File(path, audit.FileOptions{Sync: audit.SyncNever})
	if err != nil {
		t.Fatal(err)
	}
	async, err := audit.Async(audit.JSONLines(asynced), audit.AsyncOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var lost []error
	sink := audit.Multi(
		audit.Zap(zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapped, zapcore.DebugLevel))),
		audit.Slog(slog.New(slog.NewTextHandler(slogged, nil))),
		audit.JSONLines(lines), file, chain(t, audit.JSONLines(chained)), async,
	)
	var errs []string
	run := func(change ...func(*securebedrock.Options)) *securebedrock.Client {
		return newClient(t, server, sink, audit.Options{ToolNames: true, OnLost: func(_ *audit.Record, err error) { lost = append(lost, err) }}, change...)
	}
	c := run()
	unguarded := run(func(o *securebedrock.Options) {
		o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "a test", "InvokeModelWithBidirectionalStream": "a test"}
	})
	call := func(c *securebedrock.Client, in any) {
		ctx := t.Context()
		drain := func(es interface {
			Close() error
			Err() error
		}) error {
			return errors.Join(es.Err(), es.Close())
		}
		var err error
		switch in := in.(type) {
		case *bedrockruntime.ConverseInput:
			_, err = c.Converse(ctx, in)
		case *bedrockruntime.ConverseStreamInput:
			var out *bedrockruntime.ConverseStreamOutput
			if out, err = c.ConverseStream(ctx, in); err == nil {
				for range out.GetStream().Events() {
				}
				err = drain(out.GetStream())
			}
		case *bedrockruntime.InvokeModelInput:
			_, err = c.InvokeModel(ctx, in)
		case *bedrockruntime.InvokeModelWithResponseStreamInput:
			var out *bedrockruntime.InvokeModelWithResponseStreamOutput
			if out, err = c.InvokeModelWithResponseStream(ctx, in); err == nil {
				for range out.GetStream().Events() {
				}
				err = drain(out.GetStream())
			}
		case *bedrockruntime.InvokeModelWithBidirectionalStreamInput:
			var out *bedrockruntime.InvokeModelWithBidirectionalStreamOutput
			if out, err = c.InvokeModelWithBidirectionalStream(ctx, in); err == nil {
				_ = out.GetStream().Send(ctx, &types.InvokeModelWithBidirectionalStreamInputMemberChunk{Value: types.BidirectionalInputPayloadPart{Bytes: []byte(`{"text":"CANARY"}`)}})
				err = drain(out.GetStream())
			}
		case *bedrockruntime.StartAsyncInvokeInput:
			_, err = c.StartAsyncInvoke(ctx, in)
		case *bedrockruntime.ApplyGuardrailInput:
			_, err = c.ApplyGuardrail(ctx, in)
		case *bedrockruntime.InvokeGuardrailChecksInput:
			_, err = c.InvokeGuardrailChecks(ctx, in)
		case *bedrockruntime.CountTokensInput:
			_, err = c.CountTokens(ctx, in)
		case *bedrockruntime.GetAsyncInvokeInput:
			_, err = c.GetAsyncInvoke(ctx, in)
		case *bedrockruntime.ListAsyncInvokesInput:
			_, err = c.ListAsyncInvokes(ctx, in)
		default:
			t.Fatalf("%T", in)
		}
		if err != nil {
			errs = append(errs, reflect.TypeOf(in).Elem().Name())
		}
	}
	apply := func() *bedrockruntime.ApplyGuardrailInput {
		return &bedrockruntime.ApplyGuardrailInput{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"),
			Source: types.GuardrailContentSourceInput, Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{
				Value: types.GuardrailTextBlock{Text: aws.String("CANARY: how to " + denied)}}}}
	}
	base := []func() any{
		func() any { return converse("CANARY, how to " + denied) },
		func() any { return converse("CANARY") },
		func() any { return converseStream("CANARY, how to " + denied) },
		func() any { return converseStream("CANARY") },
		func() any {
			return &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("CANARY, how to " + denied)}
		},
		func() any {
			return &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("CANARY")}
		},
		func() any {
			return &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String("amazon.nova-sonic-v1:0")}
		},
		func() any {
			return &bedrockruntime.StartAsyncInvokeInput{ModelId: aws.String("amazon.nova-reel-v1:0"), ModelInput: document(map[string]any{"t": "CANARY"}),
				OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://canary/")}}}
		},
		func() any { return apply() },
		func() any { return &bedrockruntime.InvokeGuardrailChecksInput{} },
		func() any {
			return &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku), Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: says("CANARY")}}}
		},
		func() any { return &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String("arn:aws:canary")} },
		func() any { return &bedrockruntime.ListAsyncInvokesInput{} },
	}
	calls := 0
	for _, in := range base {
		call(c, in())
		call(unguarded, in())
		calls += 2
		fields := reflect.TypeOf(in()).Elem()
		for _, canary := range []string{"CANARY of a prompt", "CANARYword"} {
			for i := range fields.NumField() {
				if !fields.Field(i).IsExported() {
					continue
				}
				v := in()
				f := reflect.ValueOf(v).Elem().Field(i)
				f.SetZero()
				plant(f, canary, 0)
				call(unguarded, v)
				calls++
			}
			v := reflect.New(fields)
			plant(v.Elem(), canary, 0)
			call(c, v.Interface())
			calls++
		}
	}
	// Faults whose words come from the service.
	for _, op := range []string{"Converse", "ConverseStream", "ApplyGuardrail"} {
		for _, f := range []bedrocktest.Fault{
			bedrocktest.Error(400, "ValidationException", "CANARY in a message"), bedrocktest.Error(400, "CANARY code", "CANARY"),
			bedrocktest.Exception(1, "modelStreamErrorException", "CANARY"), bedrocktest.Truncate(2), bedrocktest.TruncateMidFrame(2),
			bedrocktest.DropStream(1), bedrocktest.Redirect(307, "https://canary.example/CANARY"), bedrocktest.ServerError(500, 1),
		} {
			server.Fail(op, f)
			in := map[string]any{"Converse": converse("CANARY"), "ConverseStream": converseStream("CANARY"), "ApplyGuardrail": apply()}[op]
			call(c, in)
			calls++
		}
	}
	server.Fail("AssumeRole", bedrocktest.Error(403, "AccessDenied", "CANARY"))
	call(run(), converse("CANARY"))
	inner := run(func(o *securebedrock.Options) {
		o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
			return func(ctx context.Context, c *securebedrock.Call) (*securebedrock.Result, error) {
				return nil, errors.New("CANARY")
			}
		})
	})
	call(inner, converse("CANARY"))
	calls += 2

	c.Close()
	unguarded.Close()
	if err := audit.Close(sink); err != nil {
		t.Fatal(err)
	}
	onDisk, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	secrets := []string{"canary", denied, server.Credentials().SecretAccessKey, base64.StdEncoding.EncodeToString([]byte("CANARY of a prompt"))[:12]}
	for name, out := range map[string]string{"zap": zapped.String(), "slog": slogged.String(), "JSONLines": lines.String(), "File": string(onDisk), "Chain": chained.String(), "Async": asynced.String()} {
		if strings.Count(out, "\n") < 2*calls {
			t.Errorf("%s has %d lines of %d calls", name, strings.Count(out, "\n"), calls)
		}
		for line := range strings.Lines(out) {
			lower := strings.ToLower(strings.ReplaceAll(line, "CANARYtool", "")) // declared tool names are asked for
			for _, s := range secrets {
				if strings.Contains(lower, strings.ToLower(s)) {
					t.Errorf("%s: %q in %s", name, s, line)
				}
			}
		}
		if t.Failed() {
			break
		}
	}
	if len(lost) > 0 {
		t.Errorf("lost: %v", lost)
	}
	t.Logf("%d calls, %d of them failed or refused", calls, len(errs))
	if len(errs) == 0 || len(errs) == calls {
		t.Error("the calls should fail and succeed, some of each")
	}
}
