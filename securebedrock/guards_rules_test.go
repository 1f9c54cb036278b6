package securebedrock_test

import (
	"context"
	"errors"
	"net"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// rewriteAt inserts a step that changes the request before or after signing.
func rewriteAt(pos middleware.RelativePosition, f func(*smithyhttp.Request)) func(*sdkOptions) {
	return func(o *sdkOptions) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("rewrite", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				f(in.Request.(*smithyhttp.Request))
				return next.HandleFinalize(ctx, in)
			}), "Signing", pos)
		})
	}
}

// The model that was checked is the one that is sent, whatever happens meanwhile
// to the string that the caller's pointer points to.
func TestModelIsCopiedBeforeItIsChecked(t *testing.T) {
	server := bedrocktest.NewServer(t)
	id := "us." + haiku
	c := newClient(t, server, func(o *opts) {
		o.Profiles = resolver{regions: []string{"us-east-1"}, asked: func() { id = "global." + haiku }}
	})
	in := converse("hello")
	in.ModelId = &id
	if _, err := c.Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if got := calls(server, "Converse")[0].ModelID; got != "us."+haiku {
		t.Errorf("checked us.%s and sent %s", haiku, got)
	}
}

func TestResolverErrorRefusesAndIsKept(t *testing.T) {
	server := bedrocktest.NewServer(t)
	down := errors.New("control plane is down")
	c := newClient(t, server, func(o *opts) { o.Profiles = resolver{regions: []string{"us-east-1"}, err: down} })
	in := converse("a secret")
	in.ModelId = aws.String("us." + haiku)
	_, err := c.Converse(t.Context(), in)
	refusedBy(t, err, securebedrock.ErrResidency)
	if !errors.Is(err, down) {
		t.Errorf("the resolver's error is lost: %v", err)
	}
	nothingArrived(t, server)
}

func TestInvocationARN(t *testing.T) {
	for _, arn := range []string{"", "abc", "arn:aws:bedrock:us-east-1", "arn:aws:sagemaker:us-east-1:123456789012:async-invoke/abc"} {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		_, err := c.GetAsyncInvoke(t.Context(), &bedrockruntime.GetAsyncInvokeInput{InvocationArn: &arn})
		refusedBy(t, err, securebedrock.ErrRegion)
		nothingArrived(t, server)
	}
}

// What the caller gave stays as it was: nothing below the first level is written.
func TestCallersInputIsNotWritten(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	config := &types.InferenceConfiguration{Temperature: aws.Float32(0.5)}
	metadata := map[string]string{"team": "claims"}
	unary := &types.GuardrailConfiguration{Trace: types.GuardrailTraceEnabled}
	streamed := &types.GuardrailStreamConfiguration{Trace: types.GuardrailTraceEnabled}
	in, sin := converse("hello"), converseStream("hello")
	in.InferenceConfig, in.RequestMetadata, in.GuardrailConfig = config, metadata, unary
	sin.InferenceConfig, sin.RequestMetadata, sin.GuardrailConfig = config, metadata, streamed
	before, sbefore := *in, *sin
	if _, err := c.Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	out, err := c.ConverseStream(t.Context(), sin)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(out.GetStream()); err != nil {
		t.Fatal(err)
	}
	if config.MaxTokens != nil || len(metadata) != 1 || unary.GuardrailIdentifier != nil || streamed.GuardrailIdentifier != nil || streamed.StreamProcessingMode != "" {
		t.Errorf("the caller's own was written: %+v, %v, %+v, %+v", config, metadata, unary, streamed)
	}
	if !reflect.DeepEqual(before, *in) || !reflect.DeepEqual(sbefore, *sin) {
		t.Errorf("the caller's input was written: %+v, %+v", *in, *sin)
	}
}

// The defaults are written on the streaming routes too.
func TestDefaultsOnStreams(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	out, err := c.ConverseStream(t.Context(), converseStream("hello"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(out.GetStream()); err != nil {
		t.Fatal(err)
	}
	in := calls(server, "ConverseStream")[0].Input.(*bedrockruntime.ConverseStreamInput)
	if in.InferenceConfig == nil || aws.ToInt32(in.InferenceConfig.MaxTokens) != 1024 || in.RequestMetadata["securebedrock-call-id"] != rec.calls[0].ID {
		t.Errorf("sent %+v, %v", in.InferenceConfig, in.RequestMetadata)
	}
	if in.GuardrailConfig == nil || in.GuardrailConfig.Trace != types.GuardrailTraceEnabled {
		t.Errorf("sent %+v", in.GuardrailConfig)
	}
	invoked, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
	if err != nil {
		t.Fatal(err)
	}
	for range invoked.GetStream().Events() {
	}
	h := calls(server, "InvokeModelWithResponseStream")[0].Header
	if !strings.Contains(h.Get("X-Amzn-Bedrock-Request-Metadata"), rec.calls[1].ID) || h.Get("X-Amzn-Bedrock-Trace") != "ENABLED" ||
		h.Get("X-Amzn-Bedrock-GuardrailIdentifier") != bedrocktest.DefaultGuardrailID {
		t.Errorf("sent %v", h)
	}
}

// A managed prompt brings its own inference configuration.
func TestPromptGetsNoMaxTokens(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) { o.Residency = []string{"*"} })
	_, err := c.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String("arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDEFGHIJ:1")})
	got := calls(server, "Converse")
	if len(got) != 1 {
		t.Fatalf("%d calls, %v", len(got), err)
	}
	if in, ok := got[0].Input.(*bedrockruntime.ConverseInput); ok && in.InferenceConfig != nil {
		t.Errorf("sent %+v", in.InferenceConfig)
	}
}

// Under Unguarded nothing of a guardrail is written, required or refused, and
// every record says why.
func TestUnguarded(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, func(o *opts) { o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "evaluation set" })
	ctx := t.Context()
	if _, err := c.Converse(ctx, converse("hello")); err != nil {
		t.Fatal(err)
	}
	if in := calls(server, "Converse")[0].Input.(*bedrockruntime.ConverseInput); in.GuardrailConfig != nil {
		t.Errorf("sent %+v", in.GuardrailConfig)
	}
	in := converse("plain")
	in.Messages[0].Content = append(in.Messages[0].Content, &types.ContentBlockMemberGuardContent{
		Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("x")}}})
	in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1")}
	if _, err := c.Converse(ctx, in); err != nil {
		t.Error(err)
	}
	if _, err := c.ApplyGuardrail(ctx, applyGuardrail(bedrocktest.DefaultGuardrailID, "1")); err != nil {
		t.Error(err)
	}
	for _, call := range rec.calls {
		if call.Unguarded != "evaluation set" || call.Guardrail != (securebedrock.Guardrail{}) {
			t.Errorf("%s: %+v", call.Operation, call)
		}
	}
}

// What is sent is the guardrail as Options name it, also where the caller named
// the same one in the other way.
func TestPinnedGuardrailIsSentAsPinned(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	arn := "arn:aws:bedrock:us-east-1:123456789012:guardrail/" + bedrocktest.DefaultGuardrailID
	in := converse("hello")
	in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: &arn}
	if _, err := c.Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	got := calls(server, "Converse")[0].Input.(*bedrockruntime.ConverseInput).GuardrailConfig
	if aws.ToString(got.GuardrailIdentifier) != bedrocktest.DefaultGuardrailID {
		t.Errorf("sent %s", *got.GuardrailIdentifier)
	}
}

func TestSameGuardrailOfAnotherAccountIsAnother(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) {
		o.Guardrail.ID = "arn:aws:bedrock:us-east-1:123456789012:guardrail/" + bedrocktest.DefaultGuardrailID
	})
	in := converse("a secret")
	in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("arn:aws:bedrock:us-east-1:999999999999:guardrail/" + bedrocktest.DefaultGuardrailID)}
	_, err := c.Converse(t.Context(), in)
	refusedBy(t, err, securebedrock.ErrGuardrailOverride)
	nothingArrived(t, server)
}

func TestCoverage(t *testing.T) {
	guarded := &types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{Value: types.GuardrailConverseTextBlock{Text: aws.String("scan me")}}}
	for name, block := range map[string]types.ContentBlock{
		"image":     &types.ContentBlockMemberImage{Value: types.ImageBlock{Format: types.ImageFormatPng, Source: &types.ImageSourceMemberBytes{Value: []byte{1}}}},
		"document":  &types.ContentBlockMemberDocument{Value: types.DocumentBlock{Name: aws.String("n"), Source: &types.DocumentSourceMemberBytes{Value: []byte{1}}}},
		"citations": &types.ContentBlockMemberCitationsContent{},
		"search":    &types.ContentBlockMemberSearchResult{Value: types.SearchResultBlock{Source: aws.String("s"), Title: aws.String("t"), Content: []types.SearchResultContentBlock{{Text: aws.String("x")}}}},
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server)
			in := converse("x")
			in.Messages[0].Content = []types.ContentBlock{guarded, block}
			_, err := c.Converse(t.Context(), in)
			refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
			stream := converseStream("x")
			stream.Messages = in.Messages
			_, err = c.ConverseStream(t.Context(), stream)
			refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
			nothingArrived(t, server)
		})
	}
	t.Run("guardContent in the system prompt alone", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		in := converse("a secret")
		in.System = []types.SystemContentBlock{&types.SystemContentBlockMemberGuardContent{Value: guarded.Value}}
		_, err := c.Converse(t.Context(), in)
		refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
		nothingArrived(t, server)
	})
}

func TestBodyCoverage(t *testing.T) {
	const cfg = `"amazon-bedrock-guardrailConfig"`
	for _, row := range []struct {
		name, body, contentType string
		rule                    error
	}{
		{"an array", `["guardrailConfig",1]`, "", securebedrock.ErrGuardrailCoverage},
		{"a key that is no string", `{1:"guardrailConfig"}`, "", securebedrock.ErrGuardrailCoverage},
		{"a value that is no JSON", `{"guardrailConfig":tru}`, "", securebedrock.ErrGuardrailCoverage},
		{"an object without its end", `{"guardrailConfig":1`, "", securebedrock.ErrGuardrailCoverage},
		{"more after the object", `{"guardrailConfig":1}{` + cfg + `:{"tagSuffix":"x"}}`, "", securebedrock.ErrGuardrailCoverage},
		{"settings that are no object", `{` + cfg + `:1}`, "", securebedrock.ErrGuardrailCoverage},
		{"settings that are not known", `{` + cfg + `:{"new":1}}`, "", securebedrock.ErrGuardrailOverride},
		{"a tag suffix in another case", `{` + cfg + `:{"TagSuffix":"x"}}`, "", securebedrock.ErrGuardrailCoverage},
		{"a content type that does not parse", `{}`, "application/json;;=", securebedrock.ErrGuardrailCoverage},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server)
			var ct *string
			if row.contentType != "" {
				ct = &row.contentType
			}
			_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(row.body), ContentType: ct})
			refusedBy(t, err, row.rule)
			_, err = c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: []byte(row.body), ContentType: ct})
			refusedBy(t, err, row.rule)
			nothingArrived(t, server)
		})
	}
	for _, row := range []struct {
		name, settings string
		change         func(*opts)
	}{
		{"a tag suffix where it is allowed", `{"tagSuffix":"x"}`, func(o *opts) { o.Guardrail.AllowPartial = true }},
		{"the pinned synchronous mode", `{"streamProcessingMode":"SYNCHRONOUS"}`, func(*opts) {}},
		{"the pinned asynchronous mode", `{"streamProcessingMode":"ASYNCHRONOUS"}`, func(o *opts) { o.Guardrail.Stream = types.GuardrailStreamProcessingModeAsync }},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, row.change)
			body := strings.Replace(string(invokeBody("hello")), "{", "{"+cfg+":"+row.settings+",", 1)
			if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: []byte(body), ContentType: aws.String("application/json; charset=utf-8")}); err != nil {
				t.Error(err)
			}
		})
	}
}

// The bounds of a unary call: each is named by its error and is a net.Error.
func TestUnaryTimeouts(t *testing.T) {
	for _, row := range []struct {
		name string
		set  func(*opts)
		want error
		says string
	}{
		{"Read", func(o *opts) { o.Timeouts.Read, o.Timeouts.Connect = 200*time.Millisecond, 100*time.Millisecond }, securebedrock.ErrReadTimeout, "Timeouts.Read"},
		{"Call", func(o *opts) { o.Timeouts.Call = 300 * time.Millisecond }, context.DeadlineExceeded, "Timeouts.Call"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			server.Fail("Converse", bedrocktest.StallHeaders())
			rec := new(recorder)
			c := newClient(t, server, row.set, rec.option, func(o *opts) { o.Role = nil; o.Retry.MaxAttempts = 1 })
			_, err := c.Converse(t.Context(), converse("hello"))
			var n net.Error
			if !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.says) || !errors.As(err, &n) || !n.Timeout() {
				t.Errorf("got %v", err)
			}
			if r := rec.one(t); r.outcome.Canceled || !errors.Is(r.outcome.Err, row.want) {
				t.Errorf("outcome %+v", r.outcome)
			}
		})
	}
}

// Retries have one owner, on Runtime's client too.
func TestPerCallRetryerIsNotUsed(t *testing.T) {
	for _, runtime := range []bool{false, true} {
		server := bedrocktest.NewServer(t)
		server.Fail("Converse", bedrocktest.ServerError(503, 1))
		c := newClient(t, server)
		f := c.Converse
		if runtime {
			f = c.Runtime().Converse
		}
		if _, err := f(t.Context(), converse("hello"), func(o *sdkOptions) { o.Retryer, o.RetryMaxAttempts = aws.NopRetryer{}, 1 }); err != nil {
			t.Errorf("runtime %v: %v", runtime, err)
		}
	}
}

// Middleware of the application's is told the region that is called.
func TestRegionInTheContextIsThePinnedOne(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	var region string
	if _, err := c.Converse(t.Context(), converse("hello"), func(o *sdkOptions) {
		o.Region = "eu-west-1"
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("see", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				region = awsmiddleware.GetRegion(ctx)
				return next.HandleFinalize(ctx, in)
			}), middleware.Before)
		})
	}); err != nil {
		t.Fatal(err)
	}
	if region != "us-east-1" {
		t.Errorf("the context says %q", region)
	}
}
