// Package losses counts the records that a sink gives up in the background, and tells
// of each loss to those who wait for the records before it.
package losses

import (
	"errors"
	"fmt"
	"sync"
)

// Ledger holds what was lost and what was told of it. The zero value is ready. A
// Ledger is safe for concurrent use.
type Ledger struct {
	mu     sync.Mutex
	lost   int64
	told   int64 // losses that a Tell has returned
	untold error // why the application could not be told
}

// Add counts one loss.
func (l *Ledger) Add() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost++
}

// Untold notes why the application could not be told of a loss. The next Tell
// returns err.
func (l *Ledger) Untold(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.untold = err
}

// Count is the number of losses, and of those that were told.
func (l *Ledger) Count() (lost, told int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost, l.told
}

// Tell is the error of the losses up to a number of them, but for those that had
// been told before; nil where there are none.
func (l *Ledger) Tell(sink string, upTo, before int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.told = max(l.told, upTo)
	untold := l.untold
	l.untold = nil
	if upTo <= before {
		return untold
	}
	return errors.Join(fmt.Errorf("%s: %d records were lost", sink, upTo-before), untold)
}
