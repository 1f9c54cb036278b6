package audit

import (
	"context"
	"fmt"
	"sync"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
)

const (
	// maxRunning bounds the calls of one function of the application's that run at
	// a time.
	maxRunning = 256
	// maxOverdue bounds those of them that go on after their caller has given up.
	maxOverdue = 4
)

// lane bounds the calls of one function of the application's: each ends for its
// caller with the caller's context, and where too many of them go on after that,
// no other one begins until one of them returns.
type lane struct {
	what  string
	most  int           // overdue calls that keep no other out
	slots chan struct{} // one for each call that runs

	mu      sync.Mutex
	overdue int
	relief  chan struct{} // closed when an overdue call returns; nil: nobody waits
}

func newLane(what string, most int) *lane {
	return &lane{what: what, most: most, slots: make(chan struct{}, maxRunning)}
}

// trip is one call on a lane.
type trip struct {
	lane        *lane
	call        *running
	ended, late bool // of lane.mu
}

// enter takes a slot. Without patience it does not wait for overdue calls.
func (l *lane) enter(ctx context.Context, patience bool) error {
	busy := func() error {
		return fmt.Errorf("%w: %s: earlier calls of it have not returned", errStuck, l.what)
	}
	select {
	case l.slots <- struct{}{}:
	default:
		select {
		case l.slots <- struct{}{}:
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", busy(), context.Cause(ctx))
		}
	}
	for {
		l.mu.Lock()
		if l.overdue < l.most {
			l.mu.Unlock()
			return nil
		}
		if l.relief == nil {
			l.relief = make(chan struct{})
		}
		relief := l.relief
		l.mu.Unlock()
		if !patience {
			<-l.slots
			return busy()
		}
		select {
		case <-relief:
		case <-ctx.Done():
			<-l.slots
			return fmt.Errorf("%w: %w", busy(), context.Cause(ctx))
		}
	}
}

// begin calls f on a goroutine of its own once there is room.
func (l *lane) begin(ctx context.Context, patience bool, f func() error) (*trip, error) {
	if err := l.enter(ctx, patience); err != nil {
		return nil, err
	}
	t := &trip{lane: l, call: foreign.New(errPanicked, errStuck, l.what)}
	go t.call.Run(func() error {
		defer t.leave()
		return f()
	})
	return t, nil
}

func (t *trip) leave() {
	l := t.lane
	l.mu.Lock()
	t.ended = true
	if t.late {
		l.overdue--
		if l.relief != nil {
			close(l.relief)
			l.relief = nil
		}
	}
	l.mu.Unlock()
	<-l.slots
}

// wait returns f's error, or errStuck where f does not return until ctx ends. It
// may be called again then.
func (t *trip) wait(ctx context.Context) error {
	err := t.call.Wait(ctx)
	if t.call.Over() {
		return t.call.Err()
	}
	t.lane.mu.Lock()
	ended := t.ended
	if !ended && !t.late {
		t.late = true
		t.lane.overdue++
	}
	t.lane.mu.Unlock()
	if ended { // its goroutine is about to say so
		<-t.call.Done()
		return t.call.Err()
	}
	return err
}

// call calls f and waits for it.
func (l *lane) call(ctx context.Context, patience bool, f func() error) error {
	t, err := l.begin(ctx, patience, f)
	if err != nil {
		return err
	}
	return t.wait(ctx)
}
