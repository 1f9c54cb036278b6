package bedrocktest_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/auth/bearer"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// What is wrong with a signature gets AWS's own answer, and is recorded.
func TestSignatureRefused(t *testing.T) {
	s := bedrocktest.NewServer(t)
	static := func(id, secret, token string) aws.CredentialsProvider {
		return credentials.NewStaticCredentialsProvider(id, secret, token)
	}
	known := s.Credentials()
	// tampered changes the request after it was signed.
	tampered := func(change func(*http.Request)) func(*bedrockruntime.Options) {
		return func(o *bedrockruntime.Options) {
			send := o.HTTPClient
			o.HTTPClient = probe.RoundTripper(func(r *http.Request) (*http.Response, error) {
				change(r)
				return send.Do(r)
			})
		}
	}
	for name, test := range map[string]struct {
		change func(*bedrockruntime.Options)
		code   string
		scheme string
	}{
		"wrong secret": {func(o *bedrockruntime.Options) { o.Credentials = static(known.AccessKeyID, "wrong", "") }, "InvalidSignatureException", "AWS4-HMAC-SHA256"},
		"unknown key":  {func(o *bedrockruntime.Options) { o.Credentials = static("AKIAUNKNOWN", "x", "") }, "UnrecognizedClientException", "AWS4-HMAC-SHA256"},
		"stray token": {func(o *bedrockruntime.Options) {
			o.Credentials = static(known.AccessKeyID, known.SecretAccessKey, "token")
		}, "UnrecognizedClientException", "AWS4-HMAC-SHA256"},
		"unsigned":       {tampered(func(r *http.Request) { r.Header.Del("Authorization") }), "MissingAuthenticationTokenException", ""},
		"another region": {func(o *bedrockruntime.Options) { o.Region = "us-west-2" }, "InvalidSignatureException", "AWS4-HMAC-SHA256"},
		"bearer": {func(o *bedrockruntime.Options) {
			o.BearerAuthTokenProvider = bearer.StaticTokenProvider{Token: bearer.Token{Value: "key"}}
			o.AuthSchemePreference = []string{"httpBearerAuth"}
		}, "AccessDeniedException", "Bearer"},
		"changed body": {tampered(func(r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			r.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte("hello"), []byte("HELLO"))))
		}), "InvalidSignatureException", "AWS4-HMAC-SHA256"},
		"changed path": {tampered(func(r *http.Request) { r.URL.Path, r.URL.RawPath = "/model/other/converse", "" }), "InvalidSignatureException", "AWS4-HMAC-SHA256"},
		"changed header": {tampered(func(r *http.Request) {
			r.Header.Set("Amz-Sdk-Invocation-Id", "x")
			r.Header.Set("Content-Type", "text/plain")
		}), "InvalidSignatureException", "AWS4-HMAC-SHA256"},
		"no date":    {tampered(func(r *http.Request) { r.Header.Del("X-Amz-Date") }), "IncompleteSignatureException", "AWS4-HMAC-SHA256"},
		"odd header": {tampered(func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=x") }), "IncompleteSignatureException", "AWS4-HMAC-SHA256"},
	} {
		t.Run(name, func(t *testing.T) {
			before := len(s.Calls())
			_, err := probe.Client(s).Converse(t.Context(), probe.Ask("hello"), test.change)
			probe.WantCode(t, err, 403, test.code)
			calls := s.Calls()
			if len(calls) != before+1 {
				t.Fatalf("%d calls recorded", len(calls)-before)
			}
			call := calls[before]
			if call.AuthScheme != test.scheme || call.Status != 403 || call.Operation != "Converse" || call.Input == nil {
				t.Errorf("call %+v", call)
			}
		})
	}
	probe.Contains(t, s.Calls()[0].Path, "/converse")
}

func TestClockSkew(t *testing.T) {
	s := bedrocktest.NewServer(t)
	for name, test := range map[string]struct {
		skew    time.Duration
		service string
		status  int
	}{
		"now":           {0, "bedrock", 200},
		"four minutes":  {-4 * time.Minute, "bedrock", 200},
		"expired":       {-6 * time.Minute, "bedrock", 403},
		"from tomorrow": {24 * time.Hour, "bedrock", 403},
		"other service": {0, "sts", 403},
	} {
		t.Run(name, func(t *testing.T) {
			body := []byte(`{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`)
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/model/anthropic.claude-3-haiku-20240307-v1%3A0/converse", bytes.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			probe.Sign(t, s, r, body, test.service, time.Now().Add(test.skew))
			resp, err := s.Config().HTTPClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			answer, _ := io.ReadAll(resp.Body)
			_ = resp.Body.Close()
			if resp.StatusCode != test.status || resp.Header.Get("X-Amzn-Requestid") == "" || resp.Header.Get("Date") == "" {
				t.Errorf("%d %s", resp.StatusCode, answer)
			}
		})
	}
}

// A query is part of what is signed.
func TestListQueryIsSigned(t *testing.T) {
	s := bedrocktest.NewServer(t)
	_, err := probe.Client(s).ListAsyncInvokes(t.Context(), &bedrockruntime.ListAsyncInvokesInput{
		MaxResults: aws.Int32(5), SubmitTimeAfter: aws.Time(time.Now().Add(-time.Hour)), SortBy: "SubmissionTime", StatusEquals: "Completed",
	})
	if err != nil {
		t.Fatal(err)
	}
	in := s.Calls()[0].Input.(*bedrockruntime.ListAsyncInvokesInput)
	if *in.MaxResults != 5 || in.SubmitTimeAfter == nil || in.StatusEquals != "Completed" {
		t.Errorf("%+v", in)
	}
}
