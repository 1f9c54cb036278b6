package securebedrock

import (
	"slices"
	"sync"

	"github.com/aws/smithy-go/logging"
)

// completion hands one Outcome to every function registered, each exactly once.
type completion struct {
	call *callIdentity // that it completes; nil where there is none

	mu      sync.Mutex
	outcome *Outcome // once the call is over
	waiting []func(Outcome)
	log     logging.Logger
}

const onDone = "a function given to Result.OnDone"

// callIdentity tells one call from another by its address.
type callIdentity struct{ _ byte }

func (c *completion) notify(f func(Outcome)) {
	c.mu.Lock()
	if c.outcome == nil {
		c.waiting = append(c.waiting, f)
		c.mu.Unlock()
		return
	}
	out := c.outcome
	c.mu.Unlock()
	c.run(f, *out)
}

// runAll goes on after one that panics or calls runtime.Goexit.
func (c *completion) runAll(fs []func(Outcome), out *Outcome) {
	if len(fs) == 0 {
		return
	}
	defer c.runAll(fs[1:], out)
	c.run(fs[0], *out)
}

// run gives f an Outcome of its own, so that none writes another's record.
func (c *completion) run(f func(Outcome), out Outcome) {
	out.Guardrail.Policies = slices.Clone(out.Guardrail.Policies)
	runCaught(c.log, onDone, func() { f(out) })
}

// complete reports whether out is the Outcome; by then each function has run. Nobody
// may write to out after it.
func (c *completion) complete(out *Outcome) bool {
	c.mu.Lock()
	if c.outcome != nil {
		c.mu.Unlock()
		return false
	}
	c.outcome = out
	waiting := c.waiting
	c.waiting = nil
	c.mu.Unlock()
	c.runAll(waiting, out)
	return true
}
