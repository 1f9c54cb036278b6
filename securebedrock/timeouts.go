package securebedrock

import (
	"context"
	"fmt"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// Defaults of Timeouts.
const (
	defaultConnectTimeout = 5 * time.Second
	defaultReadTimeout    = 60 * time.Second
)

// withDefaults fills in the defaults of zero fields. A negative field becomes zero,
// which means no bound.
func (t Timeouts) withDefaults() Timeouts {
	pick := func(d, zero time.Duration) time.Duration {
		switch {
		case d == 0:
			return zero
		case d < 0:
			return 0
		}
		return d
	}
	return Timeouts{
		Connect: pick(t.Connect, defaultConnectTimeout),
		Read:    pick(t.Read, defaultReadTimeout),
		Call:    pick(t.Call, 0),
	}
}

// TimeoutError says which of the Timeouts has passed. It implements net.Error, as a
// timeout. Where the rule is ErrCallTimeout, errors.Is also finds
// context.DeadlineExceeded.
type TimeoutError struct {
	Rule  error         // ErrConnectTimeout, ErrReadTimeout or ErrCallTimeout
	After time.Duration // the bound
	Err   error         // what the timeout ended; may be nil

	sent bool // the request was wholly sent, and doing it twice costs twice
}

// Error names the rule and the bound, and appends the text of Err.
func (e *TimeoutError) Error() string {
	text := "longer than Timeouts.Call"
	switch e.Rule {
	case ErrConnectTimeout:
		text = "no connection within Timeouts.Connect"
	case ErrReadTimeout:
		text = "no byte for Timeouts.Read"
	}
	text = fmt.Sprintf("securebedrock: %v: %s, %v", e.Rule, text, e.After)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the rule and what the timeout ended.
func (e *TimeoutError) Unwrap() []error {
	all := []error{e.Rule}
	if e.Rule == ErrCallTimeout {
		all = append(all, context.DeadlineExceeded)
	}
	if e.Err != nil {
		all = append(all, e.Err)
	}
	return all
}

// Timeout implements net.Error: always true.
func (e *TimeoutError) Timeout() bool { return true }

// Temporary implements net.Error. It is false for ErrCallTimeout and true for the other
// rules.
func (e *TimeoutError) Temporary() bool { return e.Rule != ErrCallTimeout }

// pinned returns the bounds of what internal/pinned sends. The defaults are filled in.
func (t Timeouts) pinned() pinned.Timeouts {
	return pinned.Timeouts{Connect: t.Connect, Read: t.Read, Call: t.Call, Passed: func(p pinned.Timeout) error {
		return &TimeoutError{Rule: p.Rule, After: p.After, Err: p.Err, sent: p.Sent}
	}}
}
