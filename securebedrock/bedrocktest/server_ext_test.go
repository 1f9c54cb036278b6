package bedrocktest_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestOptions(t *testing.T) {
	s := bedrocktest.NewServer(t, bedrocktest.WithRegion("eu-west-1"))
	o := s.Options()
	if o.Region != "eu-west-1" || o.Endpoint.URL != s.URL() || o.Guardrail.ID != bedrocktest.DefaultGuardrailID || o.Guardrail.Version != "1" || o.Role == nil || o.Role.STS == nil {
		t.Errorf("%+v", o)
	}
}

func TestCertificatePEM(t *testing.T) {
	s := bedrocktest.NewServer(t)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(s.CertificatePEM()) {
		t.Fatal("no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}}
	defer transport.CloseIdleConnections()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.Replace(s.URL(), "127.0.0.1", "localhost", 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := transport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusForbidden {
		t.Error(resp.Status)
	}
}

// A client that speaks HTTP/2 without TLS and without asking.
func TestUnencryptedHTTP2(t *testing.T) {
	s := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP())
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	c := bedrockruntime.NewFromConfig(s.Config(), func(o *bedrockruntime.Options) { o.HTTPClient = &http.Client{Transport: transport} })
	out, err := c.ConverseStream(t.Context(), probe.AskStream("hi"))
	if err != nil {
		t.Fatal(err)
	}
	if got := collect(out.GetStream()); got.err != nil || s.Calls()[0].Proto != "HTTP/2.0" || s.Connections() != 1 {
		t.Errorf("%+v, %s, %d connections", got, s.Calls()[0].Proto, s.Connections())
	}
	transport.CloseIdleConnections()
	eventually(t, "the connection's end", func() bool { return s.Connections() == 0 })
}

// Close releases what stalls, and leaves nothing.
func TestClose(t *testing.T) {
	for name, opts := range map[string][]bedrocktest.Option{"HTTP1": {bedrocktest.WithHTTP1()}, "HTTP2": nil, "Plain": {bedrocktest.WithPlainHTTP()}} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			s, err := bedrocktest.Start(opts...)
			if err != nil {
				t.Fatal(err)
			}
			s.Fail("Converse", bedrocktest.StallHeaders())
			s.Fail("ConverseStream", bedrocktest.StallStream(1))
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			done := make(chan error, 1)
			go func() {
				_, err := probe.Client(s).Converse(ctx, probe.Ask("hi"))
				done <- err
			}()
			out, err := probe.Client(s).ConverseStream(ctx, probe.AskStream("hi"))
			if err != nil {
				t.Fatal(err)
			}
			<-out.GetStream().Events()
			eventually(t, "both calls", func() bool { return len(s.Calls()) == 2 })
			if s.Connections() == 0 {
				t.Error("no connection is open")
			}
			closed := make(chan struct{})
			go func() {
				s.Close()
				s.Close()
				close(closed)
			}()
			select {
			case <-closed:
			case <-time.After(5 * time.Second):
				t.Fatal("Close does not return")
			}
			if s.Connections() != 0 {
				t.Errorf("%d connections are open", s.Connections())
			}
			if err := <-done; err == nil {
				t.Error("the stalled call succeeded")
			}
			_ = out.GetStream().Close()
			eventually(t, "the end of every goroutine", func() bool { return runtime.NumGoroutine() <= before })
		})
	}
}

// Everything may be called while requests are served.
func TestConcurrency(t *testing.T) {
	s := bedrocktest.NewServer(t)
	errs := make(chan error)
	const n = 16
	for i := range n {
		go func() {
			var err error
			switch i % 4 {
			case 0:
				_, err = probe.Client(s).Converse(t.Context(), guarded("hi"))
			case 1:
				var out *bedrockruntime.ConverseStreamOutput
				if out, err = probe.Client(s).ConverseStream(t.Context(), probe.AskStream("hi")); err == nil {
					err = collect(out.GetStream()).err
				}
			case 2:
				_, err = probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(probe.Model), Body: probe.InvokeBody(t, "hi")})
			case 3:
				s.AddGuardrail(bedrocktest.Guardrail{ID: "other"})
				s.Reply(nil)
				s.Fail("CountTokens", bedrocktest.Throttle(1))
				_ = s.Calls()
				_ = s.Connections()
			}
			errs <- err
		}()
	}
	for range n {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if calls := s.Calls(); len(calls) != 12 || slices.ContainsFunc(calls, func(c bedrocktest.Call) bool { return c.Status != 200 }) {
		t.Errorf("%d calls", len(calls))
	}
}
