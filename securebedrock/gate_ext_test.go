package securebedrock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A header can be taken in one way only: what would go out beside the canonical
// form, or after the body, is refused.
func TestHeadersBesideTheCanonicalOnes(t *testing.T) {
	set := func(key, value string) func(*smithyhttp.Request) {
		return func(r *smithyhttp.Request) { r.Header[key] = []string{value} }
	}
	rows := []struct {
		name string
		f    func(*smithyhttp.Request)
		rule error

		signers bool // the signer writes this header itself
	}{
		{"a second signature in lower case", set("authorization", "Bearer token"), securebedrock.ErrAuth, false},
		{"a session token in lower case", set("x-amz-security-token", "token"), securebedrock.ErrAuth, false},
		{"a date in lower case", set("x-amz-date", "20460101T000000Z"), securebedrock.ErrAuth, false},
		{"a host in lower case", set("host", "evil.example.com"), securebedrock.ErrEndpoint, false},
		{"a content length in lower case", set("content-length", "1"), securebedrock.ErrEndpoint, false},
		{"a transfer encoding in lower case", set("transfer-encoding", "chunked"), securebedrock.ErrEndpoint, false},
		{"a trailer in lower case", set("trailer", "X-Amzn-Bedrock-Guardrailidentifier"), securebedrock.ErrEndpoint, false},
		{"a connection header in mixed case", set("cONNECTION", "upgrade"), securebedrock.ErrEndpoint, false},
		{"a guardrail header in mixed case", set("X-AMZN-Bedrock-GuardrailIdentifier", "other"), securebedrock.ErrGuardrailOverride, false},
		{"a content type in lower case", set("content-type", "text/plain"), securebedrock.ErrGuardrailOverride, false},
		{"an unknown header of Bedrock's", set("X-Amzn-Bedrock-Guardrailmode", "off"), securebedrock.ErrGuardrailOverride, false},
		{"other request metadata", set("X-Amzn-Bedrock-Request-Metadata", `{"securebedrock-call-id":"forged"}`), securebedrock.ErrGuardrailOverride, false},
		{"another service tier", set("X-Amzn-Bedrock-Service-Tier", "priority"), securebedrock.ErrGuardrailOverride, false},
		{"another session token", set("X-Amz-Security-Token", "token"), securebedrock.ErrAuth, true},
		{"a doubled date", func(r *smithyhttp.Request) { r.Header.Add("X-Amz-Date", "20460101T000000Z") }, securebedrock.ErrAuth, true},
		{"a transfer encoding", set("Transfer-Encoding", "chunked"), securebedrock.ErrEndpoint, false},
		{"a transfer encoding in its field", func(r *smithyhttp.Request) { r.TransferEncoding = []string{"chunked"} }, securebedrock.ErrEndpoint, false},
		{"a trailer announced", set("Trailer", "X-Amzn-Bedrock-Guardrailidentifier"), securebedrock.ErrEndpoint, false},
		{"a trailer in its field", func(r *smithyhttp.Request) {
			r.Trailer = http.Header{"X-Amzn-Bedrock-Guardrailidentifier": {"other"}}
		}, securebedrock.ErrEndpoint, false},
		{"a connection header that takes the guardrail away", set("Connection", "X-Amzn-Bedrock-Guardrailidentifier"), securebedrock.ErrEndpoint, false},
		{"a connection header that does so beside another", func(r *smithyhttp.Request) { r.Header["Connection"] = []string{"close", "authorization"} }, securebedrock.ErrEndpoint, false},
		{"an upgrade", set("Upgrade", "h2c"), securebedrock.ErrEndpoint, false},
		{"an encoding of the body", set("Content-Encoding", "gzip"), securebedrock.ErrEndpoint, false},
		{"a body to start again with", func(r *smithyhttp.Request) {
			r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader([]byte("{}"))), nil }
		}, securebedrock.ErrEndpoint, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server)
			for _, pos := range []middleware.RelativePosition{middleware.Before, middleware.After} {
				if pos == middleware.Before && row.signers {
					continue // the signature puts its own value there
				}
				for side, client := range map[string]any{"Client": c, "Runtime": c.Runtime()} {
					for _, operation := range []string{"InvokeModel", "InvokeModelWithResponseStream", "Converse"} {
						err := invoke(t.Context(), client, operation, anInput()[operation], rewriteAt(pos, row.f))
						if err == nil {
							t.Errorf("%s, %s, position %v: it went out", side, operation, pos)
							continue
						}
						refusedBy(t, err, row.rule)
					}
				}
			}
			nothingArrived(t, server)
		})
	}
}

// What a step writes before the serializer is not taken for the serializer's.
func TestHeadersBeforeTheSerializer(t *testing.T) {
	before := func(f func(*smithyhttp.Request)) func(*sdkOptions) {
		return func(o *sdkOptions) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return s.Serialize.Add(middleware.SerializeMiddlewareFunc("before", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
					f(in.Request.(*smithyhttp.Request))
					return next.HandleSerialize(ctx, in)
				}), middleware.Before)
			})
		}
	}
	for name, f := range map[string]func(*smithyhttp.Request){
		"a guardrail":               func(r *smithyhttp.Request) { r.Header.Set("X-Amzn-Bedrock-GuardrailIdentifier", "other") },
		"a guardrail in lower case": func(r *smithyhttp.Request) { r.Header["x-amzn-bedrock-guardrailidentifier"] = []string{"other"} },
		"a content type":            func(r *smithyhttp.Request) { r.Header.Set("Content-Type", "text/plain") },
		"a body": func(r *smithyhttp.Request) {
			if own, err := r.SetStream(bytes.NewReader([]byte(`{}`))); err == nil {
				*r = *own
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server)
			for operation, input := range anInput() {
				if operation == "StartAsyncInvoke" {
					continue // refused before
				}
				if err := invoke(t.Context(), c, operation, input, before(f)); err == nil {
					t.Errorf("%s went out", operation)
				}
			}
			nothingArrived(t, server)
		})
	}
}

// Every field of an input that is a header passes the gate as the serializer wrote
// it.
func TestEveryHeaderOfAnInputPasses(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	in := &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello"), Accept: aws.String("application/json"),
		ContentType: aws.String("application/json; charset=UTF-8"), PerformanceConfigLatency: "standard", ServiceTier: "default",
		RequestMetadata: aws.String(`{"team":"a"}`)}
	if _, err := c.InvokeModel(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	h := calls(server, "InvokeModel")[0].Header
	for _, key := range []string{"Accept", "Content-Type", "X-Amzn-Bedrock-Performanceconfig-Latency", "X-Amzn-Bedrock-Service-Tier", "X-Amzn-Bedrock-Request-Metadata",
		"X-Amzn-Bedrock-Guardrailidentifier", "X-Amzn-Bedrock-Guardrailversion", "X-Amzn-Bedrock-Trace"} {
		if len(h[key]) != 1 || h.Get(key) == "" {
			t.Errorf("%s arrived as %q", key, h[key])
		}
	}
}

// What goes out in a bidirectional call is what its caller writes, and not what a
// step puts in its place.
func TestBodyOfABidirectionalCall(t *testing.T) {
	mine, sender := io.Pipe()
	defer sender.Close()
	for name, body := range map[string]io.Reader{"a reader": bytes.NewReader([]byte("unrecorded")), "a pipe": mine} {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, excuseAll)
		swap := func(o *sdkOptions) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return s.Deserialize.Insert(middleware.DeserializeMiddlewareFunc("swap", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
					own, err := in.Request.(*smithyhttp.Request).SetStream(body)
					if err != nil {
						return middleware.DeserializeOutput{}, middleware.Metadata{}, err
					}
					in.Request = own
					return next.HandleDeserialize(ctx, in)
				}), "OperationEventStreamDeserializer", middleware.After)
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		out, err := c.InvokeModelWithBidirectionalStream(ctx, sonic(), swap)
		if err == nil {
			for range out.GetStream().Events() {
			}
			err = out.GetStream().Err()
			out.GetStream().Close()
		}
		if !errors.Is(err, securebedrock.ErrEndpoint) {
			t.Errorf("%s: %v", name, err)
		}
		nothingArrived(t, server)
	}
}

// What the caller does to its input once the call has begun changes no attempt.
func TestInputChangedDuringTheCall(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("Converse", bedrocktest.Throttle(1))
	server.Fail("InvokeModel", bedrocktest.Throttle(1))
	c := newClient(t, server)
	during := func(f func()) func(*bedrockruntime.Options) {
		return func(o *bedrockruntime.Options) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("during", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
					f()
					return next.HandleFinalize(ctx, in)
				}), middleware.Before)
			})
		}
	}
	in := converse("the original")
	if _, err := c.Converse(t.Context(), in, during(func() {
		*in.ModelId = "global." + haiku
		in.Messages[0].Content[0] = &types.ContentBlockMemberGuardContent{Value: &types.GuardrailConverseContentBlockMemberText{}}
		in.GuardrailConfig = &types.GuardrailConfiguration{}
	})); err != nil {
		t.Fatal(err)
	}
	body := &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("the original")}
	if _, err := c.InvokeModel(t.Context(), body, during(func() { copy(body.Body, bytes.Repeat([]byte(" "), len(body.Body))) })); err != nil {
		t.Fatal(err)
	}
	got := append(calls(server, "Converse"), calls(server, "InvokeModel")...)
	if len(got) != 4 {
		t.Fatalf("the server received %d calls", len(got))
	}
	for _, call := range got {
		if call.ModelID != haiku || !bytes.Contains(call.Body, []byte("the original")) {
			t.Errorf("%s went to %s with %s", call.Operation, call.ModelID, call.Body)
		}
	}
}

// No redirect of any kind is followed, from any operation, to anywhere.
func TestRedirectsOfEveryOperation(t *testing.T) {
	other := newTrap(t)
	for operation, call := range everyOperation() {
		t.Run(operation, func(t *testing.T) {
			t.Parallel()
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, excuseAll)
			sent := 0
			for _, status := range []int{300, 301, 302, 303, 304, 305, 307, 308} {
				for _, location := range []string{other.URL, "http://localhost:1/", "/elsewhere", ""} {
					server.Fail(operation, bedrocktest.Redirect(status, location))
					if err := call(t.Context(), c); !errors.Is(err, securebedrock.ErrRedirect) {
						t.Errorf("%d to %q: got %v", status, location, err)
					}
					if sent++; len(calls(server, operation)) != sent {
						t.Errorf("%d to %q: sent %d times", status, location, len(calls(server, operation))-sent+1)
					}
				}
			}
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

// With a configuration of no API options the gate finds the serializer's own
// reader, as it does with the real Bedrock. What stands in it must be what the
// rules approved, though the reader is the same.
func TestSerializersOwnReader(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(r *bytes.Reader, text []byte)
		ok     bool
	}{
		{"untouched", func(*bytes.Reader, []byte) {}, true},
		{"given other bytes", func(r *bytes.Reader, text []byte) { r.Reset(bytes.ReplaceAll(text, []byte("hello"), []byte("HELLO"))) }, false},
		{"given a part of its bytes", func(r *bytes.Reader, text []byte) { r.Reset(text[:len(text)-1]) }, false},
		{"read in part", func(r *bytes.Reader, _ []byte) { _, _ = r.ReadByte() }, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			cfg.APIOptions = nil
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			ran := false
			_, err = c.Converse(t.Context(), converse("hello"), func(o *bedrockruntime.Options) {
				o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
					return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("rewrite", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
						if r, ok := in.Request.(*smithyhttp.Request).GetStream().(*bytes.Reader); ok {
							text := make([]byte, r.Len())
							_, _ = r.ReadAt(text, 0)
							row.change(r, text)
							ran = true
						}
						return next.HandleFinalize(ctx, in)
					}), middleware.After)
				})
			})
			if !ran {
				t.Fatal("the reader is not the serializer's")
			}
			if row.ok != (err == nil) || !row.ok && !errors.Is(err, securebedrock.ErrEndpoint) || !row.ok && len(calls(server, "Converse")) > 0 {
				t.Errorf("%v; %d arrived", err, len(calls(server, "Converse")))
			}
		})
	}
}

func TestRedirectIsRefused(t *testing.T) {
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			other := newTrap(t)
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			c := newClient(t, server, rec.option)
			server.Fail("ListAsyncInvokes", bedrocktest.Redirect(status, other.URL))
			_, err := c.ListAsyncInvokes(t.Context(), nil) // no body: the SDK would follow 307 and 308
			refusedBy(t, err, securebedrock.ErrRedirect)
			if r := rec.one(t); r.outcome.Attempts != 1 {
				t.Errorf("the redirect was tried %d times", r.outcome.Attempts)
			}
		})
	}
}
