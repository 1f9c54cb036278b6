package foreign

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

var (
	errPanicked = errors.New("panicked")
	errStuck    = errors.New("stuck")
)

func TestForeignCode(t *testing.T) {
	other := errors.New("other")
	for name, c := range map[string]struct {
		f    func() error
		want error
	}{
		"its error is returned":                 {func() error { return other }, other},
		"a panic is an error":                   {func() error { panic("a prompt") }, errPanicked},
		"a runtime error is an error":           {func() error { var s []int; i := len(s); _ = s[i]; return nil }, errPanicked},
		"an end of its goroutine is an error":   {func() error { runtime.Goexit(); return nil }, errPanicked},
		"a function that hangs is given up":     {func() error { select {} }, errStuck},
		"a function that succeeds has no error": {func() error { return nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
			defer cancel()
			err := Start(errPanicked, errStuck, "the sink", c.f).Wait(ctx)
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "a prompt") {
				t.Errorf("the panic's value is in the error: %v", err)
			}
		})
	}
}

func TestForeignCodeThatHeedsItsContextIsWaitedFor(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	r := Start(errPanicked, errStuck, "the sink", func() error { <-ctx.Done(); time.Sleep(time.Millisecond); return nil })
	cancel()
	if err := r.Wait(ctx); err != nil || !r.Over() {
		t.Errorf("got %v, over %t", err, r.Over())
	}
}
