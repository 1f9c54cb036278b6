package securebedrock_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// mocked stream output by an SDK middleware
func TestMockedStream(t *testing.T) {
	for name, result := range map[string]any{"empty": &bedrockruntime.ConverseStreamOutput{}, "nil": nil} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
				return s.Initialize.Add(middleware.InitializeMiddlewareFunc("mock", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					return middleware.InitializeOutput{Result: result}, middleware.Metadata{}, nil
				}), middleware.Before)
			})
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("panic: %v", p)
				}
			}()
			func() {
				out, err := c.ConverseStream(t.Context(), converseStream("x"))
				t.Log(out, err)
			}()
			c.Close()
		})
	}
}

// A stream that the caller closes early, cancels, or forgets leaves a record,
// and neither a goroutine nor a connection.
func TestStreamLeftEarly(t *testing.T) {
	for _, row := range []struct {
		name  string
		leave func(cancel context.CancelFunc, c *client, es *bedrockruntime.ConverseStreamEventStream)
		err   error
	}{
		{"closed", func(_ context.CancelFunc, _ *client, es *bedrockruntime.ConverseStreamEventStream) { es.Close() }, nil},
		{"cancelled", func(cancel context.CancelFunc, _ *client, _ *bedrockruntime.ConverseStreamEventStream) { cancel() }, context.Canceled},
		{"cancelled and closed", func(cancel context.CancelFunc, _ *client, es *bedrockruntime.ConverseStreamEventStream) {
			cancel()
			es.Close()
		}, context.Canceled},
		{"left to the client's Close", func(_ context.CancelFunc, c *client, _ *bedrockruntime.ConverseStreamEventStream) { c.Close() }, securebedrock.ErrStreamTruncated},
	} {
		for _, h := range []struct {
			name    string
			options []bedrocktest.Option
		}{{"HTTP2", nil}, {"HTTP1", []bedrocktest.Option{bedrocktest.WithHTTP1()}}} {
			for _, stalled := range []bool{false, true} {
				name := row.name + "/" + h.name
				if stalled {
					name += "/while the server is silent"
				}
				t.Run(name, func(t *testing.T) {
					server := bedrocktest.NewServer(t, h.options...)
					rec := new(recorder)
					c := newClient(t, server, rec.option, func(o *opts) {
						o.Timeouts.Read = time.Second
						o.Role = nil // STS is asked over a connection of the server's own client
					})
					if stalled {
						server.Fail("ConverseStream", bedrocktest.StallStream(3))
					}
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					out, err := c.ConverseStream(ctx, converseStream(longPrompt))
					if err != nil {
						t.Fatal(err)
					}
					<-out.GetStream().Events()
					row.leave(cancel, c, out.GetStream())
					r := rec.one(t)
					if r.outcome.Canceled != (row.err == nil || errors.Is(row.err, context.Canceled)) || !errors.Is(r.outcome.Err, row.err) {
						t.Errorf("outcome %+v", r.outcome)
					}
					settled(t, "no goroutine of a stream left", func() bool { return streamGoroutines() == 0 })
					c.Close()
					settled(t, "no connection left", func() bool { return server.Connections() == 0 })
				})
			}
		}
	}
}

// Somebody who still reads a cancelled stream gets the error, not a short answer.
func TestCancelledStreamIsNoShortAnswer(t *testing.T) {
	for range 50 {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		ctx, cancel := context.WithCancel(t.Context())
		server.Fail("ConverseStream", bedrocktest.StallStream(4))
		out, err := c.ConverseStream(ctx, converseStream(longPrompt))
		if err != nil {
			t.Fatal(err)
		}
		<-out.GetStream().Events()
		cancel()
		time.Sleep(time.Millisecond)
		if _, err := drain(out.GetStream()); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		server.Close()
		c.Close()
	}
}

// A cancelled stream that nobody reads has its record at once, not after
// Timeouts.Read.
func TestCancelledStreamIsRecordedAtOnce(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(3))
	rec := new(recorder)
	c := newClient(t, server, rec.option, func(o *opts) { o.Timeouts.Read = time.Minute })
	ctx, cancel := context.WithCancel(t.Context())
	if _, err := c.ConverseStream(ctx, converseStream(longPrompt)); err != nil {
		t.Fatal(err)
	}
	cancel()
	if r := rec.one(t); !r.outcome.Canceled || !errors.Is(r.outcome.Err, context.Canceled) {
		t.Errorf("outcome %+v", r.outcome)
	}
}

func TestStreamNamesTheCallTimeout(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(3))
	c := newClient(t, server, func(o *opts) { o.Timeouts.Call = 300 * time.Millisecond })
	out, err := c.ConverseStream(t.Context(), converseStream(longPrompt))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(out.GetStream()); err == nil || !strings.Contains(err.Error(), "Timeouts.Call") {
		t.Errorf("got %v", err)
	}
}

// A stream that begins while the client is being closed is closed with it.
func TestStreamBegunDuringClose(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(3))
	cfg := server.Config()
	var c *client
	cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("close", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
			out, md, err := next.HandleInitialize(ctx, in)
			c.Close()
			return out, md, err
		}), middleware.Before)
	})
	o := server.Options()
	o.Timeouts.Read = time.Second
	o.Role = nil
	var err error
	if c, err = securebedrock.NewFromConfig(cfg, o); err != nil {
		t.Fatal(err)
	}
	_, _ = c.ConverseStream(context.Background(), converseStream(longPrompt))
	settled(t, "no stream left", func() bool { return streamGoroutines() == 0 })
	settled(t, "no connection left", func() bool { return server.Connections() == 0 })
}
