package seal

import (
	"sync"
	"sync/atomic"
	"testing"
)

// Each transition of a pass happens once, in its order, whoever asks at once.
func TestSealTransitions(t *testing.T) {
	once := func(name string, f func() bool) {
		t.Helper()
		var n atomic.Int32
		var wg sync.WaitGroup
		for range 16 {
			wg.Go(func() {
				if f() {
					n.Add(1)
				}
			})
		}
		wg.Wait()
		if n.Load() != 1 {
			t.Errorf("%s happened %d times", name, n.Load())
		}
	}
	var s Seal
	s.Attempt()
	for name, f := range map[string]func() bool{"Write": s.Write, "Approve": s.Approve, "Approved": s.Approved, "Send": s.Send} {
		if f() {
			t.Errorf("%s before the rules", name)
		}
	}
	once("Judge", s.Judge)
	if s.Approved() || s.Approve() {
		t.Error("approved before the request was written")
	}
	once("Write", s.Write)
	if s.Approved() || s.Send() {
		t.Error("open before the pass was approved")
	}
	once("Approve", s.Approve)
	once("Loop", s.Loop)
	once("Send", s.Send)
	s.Attempt()
	once("Send of the next attempt", s.Send)
	s.Attempt()
	s.End()
	if s.Approved() || s.Send() || s.Judge() || s.Write() || s.Approve() {
		t.Error("the seal outlives its pass")
	}
}
