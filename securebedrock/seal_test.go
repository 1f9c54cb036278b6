package securebedrock

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
	var s seal
	s.attempt()
	for name, f := range map[string]func() bool{"written": s.written, "close": s.close, "open": s.open, "send": s.send} {
		if f() {
			t.Errorf("%s before the rules", name)
		}
	}
	once("begin", s.begin)
	if s.open() || s.close() {
		t.Error("approved before the request was written")
	}
	once("written", s.written)
	if s.open() || s.send() {
		t.Error("open before the pass was approved")
	}
	once("close", s.close)
	once("loop", s.loop)
	once("send", s.send)
	s.attempt()
	once("send of the next attempt", s.send)
	s.attempt()
	s.end()
	if s.open() || s.send() || s.begin() || s.written() || s.close() {
		t.Error("the seal outlives its pass")
	}
}
