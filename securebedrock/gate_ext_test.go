package securebedrock_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
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
