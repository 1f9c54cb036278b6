package bedrockhttp_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const attackModel = "anthropic.claude-3-haiku-20240307-v1:0"

// rawRequest is an HTTP/1.1 request in parts, so that a row can spoil one part before
// or after the signature.
type rawRequest struct {
	method, target, proto string
	header                [][2]string // in the order of the wire
	body                  []byte
}

// set replaces a header, or adds it.
func (r *rawRequest) set(name, value string) {
	for i := range r.header {
		if strings.EqualFold(r.header[i][0], name) {
			r.header[i] = [2]string{name, value}
			return
		}
	}
	r.add(name, value)
}

func (r *rawRequest) add(name, value string) { r.header = append(r.header, [2]string{name, value}) }

func (r *rawRequest) drop(name string) {
	r.header = slices.DeleteFunc(r.header, func(h [2]string) bool { return strings.EqualFold(h[0], name) })
}

func (r *rawRequest) get(name string) string {
	for _, h := range r.header {
		if strings.EqualFold(h[0], name) {
			return h[1]
		}
	}
	return ""
}

// setBody replaces the body and its length.
func (r *rawRequest) setBody(body string) {
	r.body = []byte(body)
	r.set("Content-Length", strconv.Itoa(len(body)))
}

// replace changes the body, and panics where there is nothing to change: a row that
// changes nothing would pass for the wrong reason.
func (r *rawRequest) replace(old, with string) {
	if !bytes.Contains(r.body, []byte(old)) {
		panic(fmt.Sprintf("the body has no %q", old))
	}
	r.setBody(strings.Replace(string(r.body), old, with, 1))
}

// sign signs the request as it stands with the SDK's signer. A header of one name may
// stand several times.
func (r *rawRequest) sign(key bedrockhttp.Key, region, service string, at time.Time) {
	r.drop("Authorization")
	r.drop("X-Amz-Date")
	u := &url.URL{Scheme: "http", Host: r.get("Host")}
	path, query, _ := strings.Cut(r.target, "?")
	// An opaque URL is signed as it stands.
	u.Opaque, u.RawQuery = "//"+u.Host+path, query
	req := &http.Request{Method: r.method, URL: u, Host: u.Host, Header: http.Header{}, ContentLength: int64(len(r.body))}
	for _, h := range r.header {
		if !strings.EqualFold(h[0], "Host") && !strings.EqualFold(h[0], "Content-Length") {
			req.Header.Add(h[0], h[1])
		}
	}
	sum := sha256.Sum256(r.body)
	payload := hex.EncodeToString(sum[:])
	if given := r.get("X-Amz-Content-Sha256"); given != "" {
		payload = given
	}
	creds := aws.Credentials{AccessKeyID: key.AccessKeyID, SecretAccessKey: key.SecretAccessKey}
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, req, payload, service, region, at); err != nil {
		panic(err)
	}
	r.set("X-Amz-Date", req.Header.Get("X-Amz-Date"))
	r.set("Authorization", req.Header.Get("Authorization"))
}

// signUnsized signs for now, and leaves the length out of the signature, as for a body
// in chunks.
func (r *rawRequest) signUnsized(key bedrockhttp.Key) {
	sum := sha256.Sum256(r.body)
	r.set("X-Amz-Content-Sha256", hex.EncodeToString(sum[:]))
	body := r.body
	r.body = nil
	r.sign(key, "us-east-1", "bedrock", time.Now())
	r.body = body
}

// head is the request without its body.
func (r *rawRequest) head() []byte {
	var b bytes.Buffer
	b.WriteString(r.method + " " + r.target + " " + r.proto + "\r\n")
	for _, h := range r.header {
		b.WriteString(h[0] + ": " + h[1] + "\r\n")
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

func (r *rawRequest) bytes() []byte { return append(r.head(), r.body...) }

var errCaptured = errors.New("captured")

// capture is an HTTP client that keeps the request and sends nothing.
type capture struct{ raw *rawRequest }

func (c *capture) Do(r *http.Request) (*http.Response, error) {
	raw := &rawRequest{method: r.Method, target: r.URL.EscapedPath(), proto: "HTTP/1.1"}
	if r.URL.RawQuery != "" {
		raw.target += "?" + r.URL.RawQuery
	}
	raw.add("Host", r.URL.Host)
	for _, name := range slices.Sorted(func(yield func(string) bool) {
		for name := range r.Header {
			if !yield(name) {
				return
			}
		}
	}) {
		for _, value := range r.Header[name] {
			if name != "Content-Length" {
				raw.add(name, value)
			}
		}
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		raw.body = body
	}
	if r.Method != http.MethodGet {
		raw.set("Content-Length", strconv.Itoa(len(raw.body)))
	}
	c.raw = raw
	return nil, errCaptured
}

// sdkRequest is the request that the Go SDK sends for an operation.
func sdkRequest(t testing.TB, addr string, key bedrockhttp.Key, operation, prompt string) *rawRequest {
	t.Helper()
	var got capture
	c := bedrockruntime.NewFromConfig(aws.Config{
		Region: "us-east-1", HTTPClient: &got, BaseEndpoint: aws.String("http://" + addr),
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""),
		Retryer:     func() aws.Retryer { return aws.NopRetryer{} },
	})
	call, ok := sdkCalls(prompt)[operation]
	if !ok {
		t.Fatalf("no call of %s", operation)
	}
	if err := call(t.Context(), c); !errors.Is(err, errCaptured) {
		t.Fatalf("%s: %v", operation, err)
	}
	return got.raw
}

// attackBody is an InvokeModel body.
func attackBody(prompt string) []byte {
	return []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"messages":[{"role":"user","content":"` + prompt + `"}]}`)
}

// sdkCalls has every operation but the bidirectional one, whose body is a stream.
func sdkCalls(prompt string) map[string]func(context.Context, *bedrockruntime.Client) error {
	model := aws.String(attackModel)
	messages := []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: prompt}}}}
	body := attackBody(prompt)
	type client = *bedrockruntime.Client
	return map[string]func(context.Context, client) error{
		"Converse": func(ctx context.Context, c client) error {
			_, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: model, Messages: messages})
			return err
		},
		"ConverseStream": func(ctx context.Context, c client) error {
			out, err := c.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: model, Messages: messages})
			if err != nil {
				return err
			}
			return readAll(out.GetStream().Events(), out.GetStream())
		},
		"InvokeModel": func(ctx context.Context, c client) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: model, Body: body, ContentType: aws.String("application/json")})
			return err
		},
		"InvokeModelWithResponseStream": func(ctx context.Context, c client) error {
			out, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: model, Body: body, ContentType: aws.String("application/json")})
			if err != nil {
				return err
			}
			return readAll(out.GetStream().Events(), out.GetStream())
		},
		"CountTokens": func(ctx context.Context, c client) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: model, Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: messages}}})
			return err
		},
		"ApplyGuardrail": func(ctx context.Context, c client) error {
			_, err := c.ApplyGuardrail(ctx, &bedrockruntime.ApplyGuardrailInput{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"),
				Source: types.GuardrailContentSourceInput, Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: &prompt}}}})
			return err
		},
		"InvokeGuardrailChecks": func(ctx context.Context, c client) error {
			_, err := c.InvokeGuardrailChecks(ctx, &bedrockruntime.InvokeGuardrailChecksInput{
				Checks:   &types.GuardrailChecksConfig{PromptAttack: &types.GuardrailChecksPromptAttackConfig{Categories: []types.GuardrailChecksPromptAttackCategoryConfig{{Category: "JAILBREAK"}}}},
				Messages: []types.GuardrailChecksMessage{{Role: "user", Content: []types.GuardrailChecksContentBlock{&types.GuardrailChecksContentBlockMemberText{Value: prompt}}}},
			})
			return err
		},
		"StartAsyncInvoke": func(ctx context.Context, c client) error {
			_, err := c.StartAsyncInvoke(ctx, &bedrockruntime.StartAsyncInvokeInput{ModelId: aws.String("amazon.nova-reel-v1:0"),
				ModelInput:       document.NewLazyDocument(map[string]any{"taskType": "TEXT_VIDEO", "textToVideoParams": map[string]any{"text": prompt}}),
				OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket/prefix")}}})
			return err
		},
		"GetAsyncInvoke": func(ctx context.Context, c client) error {
			_, err := c.GetAsyncInvoke(ctx, &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String("arn:aws:bedrock:us-east-1:123456789012:async-invoke/abcdefghijkl")})
			return err
		},
		"ListAsyncInvokes": func(ctx context.Context, c client) error {
			_, err := c.ListAsyncInvokes(ctx, &bedrockruntime.ListAsyncInvokesInput{})
			return err
		},
	}
}

// readAll reads a stream to its end.
func readAll[E any](events <-chan E, stream interface {
	Err() error
	Close() error
}) error {
	for range events {
	}
	return errors.Join(stream.Err(), stream.Close())
}
