package securebedrock_test

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Close beside 16 calls: each ends well or with an error, none with a short
// answer, and nothing is left.
func TestConcurrentClose(t *testing.T) {
	for range 20 {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, func(o *opts) { o.Role = nil })
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				if i%2 == 0 {
					if _, err := c.Converse(context.Background(), converse("x")); err != nil && !errors.Is(err, securebedrock.ErrClosed) {
						t.Errorf("a call in flight failed: %v", err)
					}
					return
				}
				out, err := c.ConverseStream(context.Background(), converseStream(longPrompt))
				if err != nil {
					if !errors.Is(err, securebedrock.ErrClosed) && !errors.Is(err, securebedrock.ErrStreamTruncated) && !errors.Is(err, context.Canceled) {
						t.Errorf("a stream failed: %v", err)
					}
					return
				}
				stopped := false
				for ev := range out.GetStream().Events() {
					if _, ok := ev.(*types.ConverseStreamOutputMemberMessageStop); ok {
						stopped = true
					}
				}
				if out.GetStream().Err() == nil && !stopped {
					t.Error("a short answer without an error")
				}
			})
		}
		time.Sleep(3 * time.Millisecond)
		c.Close()
		wg.Wait()
		settled(t, "no connection left", func() bool { return server.Connections() == 0 })
		settled(t, "no stream left", func() bool { return streamGoroutines() == 0 })
		server.Close()
	}
}

// Attempts counts what the gate has let through, not what was tried before it.
func TestNothingSentIsNoAttempt(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, func(o *opts) {
		o.Role = &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/app", STS: failingSTS{}}
	})
	if _, err := c.Converse(t.Context(), converse("a secret")); !errors.Is(err, errSTSDown) {
		t.Errorf("got %v", err)
	}
	if n := rec.one(t).outcome.Attempts; n != 0 {
		t.Errorf("%d attempts are recorded and none was sent", n)
	}
}

// A stream that a middleware replaces by another is closed.
func TestMiddlewareReplacesStream(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		if _, err := next(ctx, call); err != nil {
			return nil, err
		}
		return &securebedrock.Result{Output: new(bedrockruntime.ConverseStreamOutput)}, nil
	}))
	if _, err := c.ConverseStream(context.Background(), converseStream(longPrompt)); err != nil {
		t.Fatal(err)
	}
	settled(t, "no stream left", func() bool { return streamGoroutines() == 0 })
}

// A next that is kept and called when the call is over sends nothing.
func TestNextAfterTheCall(t *testing.T) {
	server := bedrocktest.NewServer(t)
	var later func() (*securebedrock.Result, error)
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		later = func() (*securebedrock.Result, error) { return next(ctx, call) }
		return nil, errAny
	}))
	if _, err := c.Converse(t.Context(), converse("a secret")); !errors.Is(err, errAny) {
		t.Fatal(err)
	}
	_, err := later()
	refusedBy(t, err, securebedrock.ErrConfig)
	nothingArrived(t, server)
}

// An owner's own input that is nil, or holds nothing, is an error and no panic.
func TestEmptyInputs(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, excuseAll)
	ctx := t.Context()
	for name, call := range map[string]func() error{
		"Converse, nil":           func() error { _, err := c.Converse(ctx, nil); return err },
		"Converse, no messages":   func() error { in := converse(""); in.Messages = nil; _, err := c.Converse(ctx, in); return err },
		"ConverseStream, nil":     func() error { _, err := c.ConverseStream(ctx, nil); return err },
		"InvokeModel, nil":        func() error { _, err := c.InvokeModel(ctx, nil); return err },
		"ApplyGuardrail, nil":     func() error { _, err := c.ApplyGuardrail(ctx, nil); return err },
		"CountTokens, nil":        func() error { _, err := c.CountTokens(ctx, nil); return err },
		"StartAsyncInvoke, nil":   func() error { _, err := c.StartAsyncInvoke(ctx, nil); return err },
		"GetAsyncInvoke, nil":     func() error { _, err := c.GetAsyncInvoke(ctx, nil); return err },
		"bidirectional, nil":      func() error { _, err := c.InvokeModelWithBidirectionalStream(ctx, nil); return err },
		"InvokeModelSafely, none": func() error { _, err := c.InvokeModelSafely(ctx, "", nil); return err },
	} {
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
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
