package securebedrock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
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

// Each change of the request after the rules is refused by its own check.
func TestGateRefusesEveryChange(t *testing.T) {
	const id = "X-Amzn-Bedrock-Guardrailidentifier"
	for _, row := range []struct {
		name string
		pos  middleware.RelativePosition
		f    func(*smithyhttp.Request)
		rule error
	}{
		{"method", middleware.Before, func(r *smithyhttp.Request) { r.Method = "PUT" }, securebedrock.ErrEndpoint},
		{"query", middleware.Before, func(r *smithyhttp.Request) { r.URL.RawQuery = "a=b" }, securebedrock.ErrEndpoint},
		{"user information", middleware.Before, func(r *smithyhttp.Request) { r.URL.User = url.User("x") }, securebedrock.ErrEndpoint},
		{"Host header", middleware.Before, func(r *smithyhttp.Request) { r.Host = "evil.example.com" }, securebedrock.ErrEndpoint},
		{"path alone", middleware.Before, func(r *smithyhttp.Request) { r.URL.Path += "/x" }, securebedrock.ErrEndpoint},
		{"raw path alone", middleware.Before, func(r *smithyhttp.Request) { r.URL.RawPath = strings.Replace(r.URL.RawPath, "haiku", "opus", 1) }, securebedrock.ErrEndpoint},
		{"guardrail header doubled", middleware.Before, func(r *smithyhttp.Request) { r.Header.Add(id, r.Header.Get(id)) }, securebedrock.ErrGuardrailOverride},
		{"guardrail header taken out", middleware.Before, func(r *smithyhttp.Request) { r.Header.Del(id) }, securebedrock.ErrGuardrailOverride},
		{"the body's reader set to other bytes", middleware.Before, func(r *smithyhttp.Request) {
			body := r.GetStream().(*bytes.Reader)
			body.Reset(bytes.Repeat([]byte(" "), body.Len()))
		}, securebedrock.ErrEndpoint},
		{"the body's reader moved on", middleware.After, func(r *smithyhttp.Request) { r.GetStream().Read(make([]byte, 5)) }, securebedrock.ErrEndpoint},
		{"no signature", middleware.After, func(r *smithyhttp.Request) { r.Header.Del("Authorization") }, securebedrock.ErrAuth},
		{"another scheme", middleware.After, func(r *smithyhttp.Request) { r.Header.Set("Authorization", "Bearer token") }, securebedrock.ErrAuth},
		{"two signatures", middleware.After, func(r *smithyhttp.Request) { r.Header.Add("Authorization", "Bearer token") }, securebedrock.ErrAuth},
		{"a malformed scope", middleware.After, func(r *smithyhttp.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/us-east-1/bedrock/aws4_request", "", 1))
		}, securebedrock.ErrAuth},
		{"another service", middleware.After, func(r *smithyhttp.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/bedrock/", "/s3/", 1))
		}, securebedrock.ErrAuth},
		{"another region", middleware.After, func(r *smithyhttp.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "/us-east-1/", "/eu-west-1/", 1))
		}, securebedrock.ErrRegion},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server)
			_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("a secret")}, rewriteAt(row.pos, row.f))
			refusedBy(t, err, row.rule)
			nothingArrived(t, server)
		})
	}
}

// Without its identity step a call has no key to compare with, and an empty one
// is not equal to it.
func TestGateRefusesAnEmptyKey(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	_, err := c.Converse(t.Context(), converse("a secret"), func(o *sdkOptions) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			if _, err := s.Finalize.Remove("GetIdentity"); err != nil {
				return err
			}
			_, err := s.Finalize.Swap("Signing", middleware.FinalizeMiddlewareFunc("Signing", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				in.Request.(*smithyhttp.Request).Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0")
				return next.HandleFinalize(ctx, in)
			}))
			return err
		})
	})
	refusedBy(t, err, securebedrock.ErrAuth)
	nothingArrived(t, server)
}

// The gate itself demands the rules' approval, with nothing before it left.
func TestGateDemandsTheRules(t *testing.T) {
	for _, chain := range []bool{true, false} {
		t.Run(fmt.Sprintf("chain left in place: %v", chain), func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server)
			_, err := c.Runtime().Converse(t.Context(), converse("a secret"), func(o *sdkOptions) {
				o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
					if !chain {
						_, _ = s.Initialize.Remove("securebedrock:chain")
					}
					s.Finalize.Clear()
					_, err := s.Serialize.Swap("OperationSerializer", middleware.SerializeMiddlewareFunc("OperationSerializer", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
						return next.HandleSerialize(ctx, in)
					}))
					return err
				})
			})
			refusedBy(t, err, securebedrock.ErrBypassed)
			nothingArrived(t, server)
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

func TestCallID(t *testing.T) {
	full := func(n int) map[string]string {
		m := map[string]string{}
		for i := range n {
			m[fmt.Sprintf("k%02d", i)] = "v"
		}
		return m
	}
	own := full(16)
	delete(own, "k00")
	own["securebedrock-call-id"] = "the caller's"
	for _, row := range []struct {
		name string
		m    map[string]string
		want bool
	}{{"15 entries", full(15), true}, {"16 entries", full(16), false}, {"16 with the key", own, true}} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			c := newClient(t, server, rec.option)
			in := converse("hello")
			in.RequestMetadata = row.m
			if _, err := c.Converse(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			sent := calls(server, "Converse")[0].Input.(*bedrockruntime.ConverseInput).RequestMetadata
			if (sent["securebedrock-call-id"] == rec.calls[0].ID) != row.want || len(sent) > 16 {
				t.Errorf("sent %v", sent)
			}
		})
	}
	t.Run("a header that would grow too long stays", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		long := `{"k":"` + strings.Repeat("v", 8480) + `"}`
		if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello"), RequestMetadata: &long}); err != nil {
			t.Fatal(err)
		}
		if got := calls(server, "InvokeModel")[0].Header.Get("X-Amzn-Bedrock-Request-Metadata"); got != long {
			t.Errorf("sent %d characters", len(got))
		}
	})
	t.Run("a header that is no JSON", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello"), RequestMetadata: aws.String("team=claims")})
		refusedBy(t, err, securebedrock.ErrConfig)
		nothingArrived(t, server)
	})
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

// A refused redirect holds no connection.
func TestRedirectLeavesNoConnection(t *testing.T) {
	server := bedrocktest.NewServer(t, bedrocktest.WithHTTP1())
	c := newClient(t, server, func(o *opts) { o.Role = nil })
	server.Fail("ListAsyncInvokes", bedrocktest.Redirect(307, "http://127.0.0.1:1"))
	_, err := c.ListAsyncInvokes(t.Context(), nil)
	refusedBy(t, err, securebedrock.ErrRedirect)
	c.Close()
	settled(t, "no connection left", func() bool { return server.Connections() == 0 })
}

func TestClosedClientRefuses(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	c.Close()
	c.Close()
	_, err := c.Converse(t.Context(), converse("a secret"))
	refusedBy(t, err, securebedrock.ErrClosed)
	if r := rec.one(t); r.outcome.Err == nil {
		t.Error("the refusal is not recorded")
	}
	nothingArrived(t, server)
}

// A stream that the application's own middleware fails after it began is freed.
func TestStreamFailedByTheApplicationIsFreed(t *testing.T) {
	server := bedrocktest.NewServer(t, bedrocktest.WithHTTP1())
	server.Fail("ConverseStream", bedrocktest.StallStream(3))
	cfg := server.Config()
	cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("fail", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, md middleware.Metadata, err error) {
			if _, _, err = next.HandleInitialize(ctx, in); err == nil {
				time.Sleep(100 * time.Millisecond) // the SDK is reading ahead by now
				err = errAny
			}
			return out, md, err
		}), middleware.Before)
	})
	o := server.Options()
	o.Role = nil
	c, err := securebedrock.NewFromConfig(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ConverseStream(t.Context(), converseStream(longPrompt)); !errors.Is(err, errAny) {
		t.Fatalf("got %v", err)
	}
	c.Close()
	settled(t, "no stream left", func() bool { return streamGoroutines() == 0 })
	settled(t, "no connection left", func() bool { return server.Connections() == 0 })
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

func TestMiddlewareAnswersAStreamWrongly(t *testing.T) {
	for _, out := range []any{bedrocktest.Text("x"), (*bedrockruntime.ConverseStreamOutput)(nil), nil} {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, around(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return &securebedrock.Result{Output: out}, nil
		}))
		_, err := c.ConverseStream(t.Context(), converseStream("hello"))
		refusedBy(t, err, securebedrock.ErrConfig)
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
