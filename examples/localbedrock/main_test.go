package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// output is what the program prints, readable while it runs.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

// find waits for the first match of a pattern's group.
func (o *output) find(t *testing.T, pattern string) string {
	t.Helper()
	re := regexp.MustCompile(pattern)
	for range 500 {
		if m := re.FindStringSubmatch(o.String()); m != nil {
			return m[1]
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("it never printed %s:\n%s", pattern, o)
	return ""
}

// One call with the plain SDK, configured from what the program prints.
func TestRun(t *testing.T) {
	for name, args := range map[string][]string{
		"http":  {"-addr", "127.0.0.1:0", "-plain"},
		"https": {"-addr", "127.0.0.1:0", "-region", "eu-central-1"},
	} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			ctx, stop := context.WithCancel(t.Context())
			defer stop()
			var out output
			ended := make(chan error, 1)
			go func() { ended <- run(ctx, args, &out) }()

			url, region := out.find(t, `Bedrock Runtime and STS at (\S+)`), out.find(t, `AWS_REGION=(\S+)`)
			out.find(t, `(Calls:\n)`)
			transport := &http.Transport{}
			bundle := ""
			if name == "https" {
				bundle = out.find(t, `AWS_CA_BUNDLE=(\S+)`)
				pem, err := os.ReadFile(bundle)
				if err != nil {
					t.Fatal(err)
				}
				transport.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()}
				transport.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem)
			}
			client := bedrockruntime.New(bedrockruntime.Options{
				Region: region, BaseEndpoint: aws.String(url), HTTPClient: &http.Client{Transport: transport},
				Credentials: credentials.NewStaticCredentialsProvider(
					out.find(t, `AWS_ACCESS_KEY_ID=(\S+)`), out.find(t, `AWS_SECRET_ACCESS_KEY=(\S+)`), ""),
			})
			_, err := client.Converse(t.Context(), &bedrockruntime.ConverseInput{
				ModelId: aws.String("amazon.nova-micro-v1:0"),
				Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{
					&types.ContentBlockMemberText{Value: "a secret of mine"},
				}}},
			})
			if err != nil {
				t.Fatal(err)
			}
			transport.CloseIdleConnections()
			out.find(t, `(msg=Converse model=amazon.nova-micro-v1:0 protocol=HTTP/\S+ status=200\n)`)

			stop()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			if strings.Contains(out.String(), "secret of mine") {
				t.Errorf("the prompt was logged:\n%s", &out)
			}
			if _, err := os.Stat(bundle); err == nil {
				t.Errorf("%s is left", bundle)
			}
			for range 200 {
				if runtime.NumGoroutine() <= before {
					return
				}
				time.Sleep(10 * time.Millisecond)
			}
			buf := make([]byte, 1<<20)
			t.Errorf("goroutines are left:\n%s", buf[:runtime.Stack(buf, true)])
		})
	}
}

func TestFlags(t *testing.T) {
	for _, row := range []struct{ args, want string }{
		{"-addr 0.0.0.0:8787", "loopback"},
		{"-addr 8787", "address"},
		{"-addr 127.0.0.1:http", "port"},
		{"8787", "no arguments"},
		{"-http", "-http"},
	} {
		var out output
		if err := run(t.Context(), strings.Fields(row.args), &out); err == nil || !strings.Contains(err.Error(), row.want) || out.String() != "" {
			t.Errorf("%s: got %v, want an error with %q; it printed %q", row.args, err, row.want, &out)
		}
	}
	var out output
	if err := run(t.Context(), []string{"-h"}, &out); err != nil || !strings.Contains(out.String(), "-plain") {
		t.Errorf("-h: %v\n%s", err, &out)
	}
}
