package profiles

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A credentials provider or HTTP client that panics or ends its goroutine fails the
// question, for all who wait for it, and not the process.
func TestQuestionThatPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"panics":             func() { panic("a secret") },
		"ends its goroutine": runtime.Goexit,
	} {
		t.Run(name, func(t *testing.T) {
			c := &cache{timeout: time.Minute, limit: 10, ask: func(context.Context, string) ([]string, time.Duration, error) {
				time.Sleep(20 * time.Millisecond) // the others come to wait
				f()
				return nil, 0, nil
			}}
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			got := make(chan error)
			for range 5 {
				go func() {
					_, err := c.get(ctx, "p")
					got <- err
				}()
			}
			for range 5 {
				if err := <-got; !errors.Is(err, errPanicked) || strings.Contains(err.Error(), "secret") {
					t.Errorf("got %v", err)
				}
			}
		})
	}
}
