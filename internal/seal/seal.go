// Package seal holds what binds a call to its approval: how far the call has come, what
// its request was when the rules approved the call, and what its input was before.
// What the rules approved is what is sent.
package seal

import "sync/atomic"

// Seal is how far one pass through the rules has come. The steps of the SDK's stack,
// an application's own among them, may call their next handler twice or at once. Each
// transition happens once. The zero value is a pass that is yet to be judged.
type Seal struct {
	phase atomic.Int32
	loops atomic.Bool  // the retry loop has begun
	sends atomic.Int32 // what the current attempt may still send: one or none
}

const (
	fresh    = iota
	judging  // the rules run
	written  // what they approved is written and noted
	approved // credentials and the wire are open to the pass
	ended
)

// Judge reports whether the rules may judge the pass.
func (s *Seal) Judge() bool { return s.phase.CompareAndSwap(fresh, judging) }

// Write reports whether the serializer may write the approved input.
func (s *Seal) Write() bool { return s.phase.CompareAndSwap(judging, written) }

// Approve approves a pass whose request has been written. It reports false for any
// other.
func (s *Seal) Approve() bool { return s.phase.CompareAndSwap(written, approved) }

// Approved reports whether the pass may have credentials.
func (s *Seal) Approved() bool { return s.phase.Load() == approved }

// End takes the approval away.
func (s *Seal) End() { s.phase.Store(ended) }

// Loop reports whether the retry loop may begin.
func (s *Seal) Loop() bool { return s.loops.CompareAndSwap(false, true) }

// Attempt allows one send.
func (s *Seal) Attempt() { s.sends.Store(1) }

// Send reports whether the attempt may still send.
func (s *Seal) Send() bool { return s.Approved() && s.sends.CompareAndSwap(1, 0) }
