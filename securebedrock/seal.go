package securebedrock

import "sync/atomic"

// seal is how far one pass has come. The steps of the SDK's stack, an application's
// own among them, may call their next handler twice or at once; each transition
// happens once.
type seal struct {
	phase atomic.Int32
	loops atomic.Bool  // the retry loop has begun
	sends atomic.Int32 // what the current attempt may still send: one or none
}

const (
	fresh      = iota
	judging    // the rules run
	serialized // what they approved is written and noted
	approved   // credentials and the wire are open to the pass
	ended
)

// begin reports whether the pass may be judged.
func (s *seal) begin() bool { return s.phase.CompareAndSwap(fresh, judging) }

// written reports whether the serializer may write the approved input.
func (s *seal) written() bool { return s.phase.CompareAndSwap(judging, serialized) }

// close makes an approved pass of one whose request has been written.
func (s *seal) close() bool { return s.phase.CompareAndSwap(serialized, approved) }

// open reports whether the pass may have credentials.
func (s *seal) open() bool { return s.phase.Load() == approved }

// end takes the approval away.
func (s *seal) end() { s.phase.Store(ended) }

// loop reports whether the retry loop may begin.
func (s *seal) loop() bool { return s.loops.CompareAndSwap(false, true) }

// attempt allows one send.
func (s *seal) attempt() { s.sends.Store(1) }

// send reports whether the attempt may still send.
func (s *seal) send() bool { return s.open() && s.sends.CompareAndSwap(1, 0) }
