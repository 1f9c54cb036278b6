package wire_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// doFunc is an HTTP client in a function.
type doFunc func(*http.Request) (*http.Response, error)

func (f doFunc) Do(r *http.Request) (*http.Response, error) { return f(r) }

// sdkClient is a client of the SDK whose requests are answered by answer.
func sdkClient(answer func(w http.ResponseWriter, r *http.Request)) *bedrockruntime.Client {
	return bedrockruntime.New(bedrockruntime.Options{
		Region:      "us-east-1",
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
		Retryer:     aws.NopRetryer{},
		HTTPClient: doFunc(func(r *http.Request) (*http.Response, error) {
			w := httptest.NewRecorder()
			answer(w, r)
			return w.Result(), nil
		}),
	})
}

// received decodes what the SDK sends for a call.
func received(t *testing.T, call func(ctx context.Context, c *bedrockruntime.Client) error) (name string, input any) {
	t.Helper()
	var failure error
	client := sdkClient(func(w http.ResponseWriter, r *http.Request) {
		op, labels, ok := wire.Route(r.Method, r.URL.EscapedPath())
		if !ok {
			t.Errorf("no operation for %s %s", r.Method, r.URL)
			return
		}
		req := &wire.Request{Method: r.Method, Labels: labels, Query: r.URL.RawQuery, Header: r.Header}
		if r.Body != nil {
			req.Body, failure = io.ReadAll(r.Body)
		}
		if failure == nil {
			name = op.Name
			input, failure = op.Decode(req)
		}
		header, body := wire.Invalid("no answer").Encode()
		send(w, http.StatusBadRequest, header, body)
	})
	_ = call(t.Context(), client) // refused, as every call
	if failure != nil {
		t.Fatal(failure)
	}
	return name, input
}

func send(w http.ResponseWriter, status int, header http.Header, body []byte) {
	for key, values := range header {
		w.Header()[key] = values
	}
	w.WriteHeader(status)
	_, _ = io.Copy(w, bytes.NewReader(body))
}

// sdkStream is a client whose every request is answered with the bytes of a stream.
func sdkStream(_ testing.TB, body []byte) *bedrockruntime.Client {
	return sdkClient(func(w http.ResponseWriter, _ *http.Request) {
		send(w, http.StatusOK, http.Header{"Content-Type": {wire.EventStreamType}}, body)
	})
}

// sdkAnswer is a client whose every request is answered with a JSON body.
func sdkAnswer(body string) *bedrockruntime.Client {
	return sdkClient(func(w http.ResponseWriter, _ *http.Request) {
		send(w, http.StatusOK, http.Header{"Content-Type": {"application/json"}}, []byte(body))
	})
}
