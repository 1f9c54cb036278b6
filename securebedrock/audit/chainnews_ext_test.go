package audit_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// An OnCheckpoint that does not return holds up no record, and is given the
// checkpoints in order once it does.
func TestStuckOnCheckpoint(t *testing.T) {
	noGoroutines(t)
	release := make(chan struct{})
	var mu sync.Mutex
	var seqs []uint64
	c := chain(t, new(lines), func(o *audit.ChainOptions) {
		o.Every, o.CloseTimeout = 2, 200*time.Millisecond
		o.OnCheckpoint = func(cp audit.Checkpoint) {
			<-release
			mu.Lock()
			defer mu.Unlock()
			seqs = append(seqs, cp.Seq)
		}
	})
	within(t, 5*time.Second, "writing", func() { write(t, c, 0, 20) })
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	within(t, 5*time.Second, "Flush", func() {
		if err := c.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Flush: %v", err)
		}
	})
	within(t, 5*time.Second, "Close", func() {
		if err := c.Close(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Close: %v", err)
		}
	})
	close(release)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(seqs) != 11 || !slices.IsSorted(seqs) {
		t.Errorf("checkpoints %v", seqs)
	}
}
