package securebedrock_test

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http/httptrace"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// After Warm the first call makes no connection and asks STS for nothing.
func TestWarm(t *testing.T) {
	for _, row := range []struct {
		name    string
		options []bedrocktest.Option
	}{{"HTTP/2", nil}, {"HTTP/1.1", []bedrocktest.Option{bedrocktest.WithHTTP1()}}} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t, row.options...)
			c := newClient(t, server)
			handshakes := 0
			ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
				TLSHandshakeDone: func(tls.ConnectionState, error) { handshakes++ },
			})
			if err := c.Warm(ctx); err != nil {
				t.Fatal(err)
			}
			if handshakes != 1 || len(calls(server, "AssumeRole")) != 1 {
				t.Fatalf("Warm made %d handshakes and asked STS %d times", handshakes, len(calls(server, "AssumeRole")))
			}
			if _, err := c.Converse(ctx, converse("hello")); err != nil {
				t.Fatal(err)
			}
			if handshakes != 1 || len(calls(server, "AssumeRole")) != 1 {
				t.Errorf("the first call made %d more handshakes, and STS was asked %d times", handshakes-1, len(calls(server, "AssumeRole")))
			}
			if n := server.Connections(); n > 2 { // STS's is the application's own
				t.Errorf("%d connections are open", n)
			}
		})
	}
}

func TestWarmFails(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("AssumeRole", bedrocktest.Error(403, "AccessDenied", "not authorized to perform: sts:AssumeRole"))
	c := newClient(t, server)
	if err := c.Warm(t.Context()); err == nil || !strings.Contains(err.Error(), "credentials: ") || !strings.Contains(err.Error(), "not authorized") {
		t.Errorf("a refusing STS: %v", err)
	}
	unreachable := newClient(t, server, func(o *opts) {
		o.Endpoint.URL, o.Role, o.Timeouts.Connect = silent(t), nil, 100*time.Millisecond
	})
	if err := unreachable.Warm(t.Context()); !errors.Is(err, securebedrock.ErrConnectTimeout) {
		t.Errorf("a silent host: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newClient(t, server).Warm(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("a cancelled context: %v", err)
	}
	c.Close()
	refusedBy(t, c.Warm(t.Context()), securebedrock.ErrClosed)
}
