package securebedrock

import (
	"context"
	"errors"
	"io"
	"testing"
)

// The table in streamEnd's comment.
func TestStreamEndTable(t *testing.T) {
	fault := errors.New("fault")
	states := map[streamState]func() streamEnd{
		streamOpen:   func() streamEnd { return streamEnd{} },
		streamEnded:  func() streamEnd { return streamEnd{state: streamEnded} },
		streamBroken: func() streamEnd { return streamEnd{state: streamBroken, fault: fault} },
		streamLeft:   func() streamEnd { return streamEnd{state: streamLeft, closed: true} },
	}
	events := map[string]struct {
		play func(*streamEnd)
		open streamState // what an open stream becomes
	}{
		"the body's proper end":     {func(e *streamEnd) { e.read(io.EOF) }, streamEnded},
		"an error, or an early end": {func(e *streamEnd) { e.read(io.ErrUnexpectedEOF) }, streamBroken},
		"the context is over":       {func(e *streamEnd) { e.cut(context.Canceled, nil) }, streamBroken},
		"the body is closed":        {func(e *streamEnd) { e.close() }, streamLeft},
	}
	for name, event := range events {
		for before, end := range states {
			want := before
			if before == streamOpen {
				want = event.open
			}
			e := end()
			event.play(&e)
			if e.state != want {
				t.Errorf("%s: state %d became %d, want %d", name, before, e.state, want)
			}
			if before == streamBroken && e.fault != fault {
				t.Errorf("%s: the fault of a broken stream became %v", name, e.fault)
			}
		}
	}
}

// What a record says of each end.
func TestStreamEndOutcome(t *testing.T) {
	fault, seen, cause := errors.New("fault"), errors.New("seen"), context.DeadlineExceeded
	for name, row := range map[string]struct {
		end         streamEnd
		seen, cause error
		err         error
		canceled    bool
	}{
		"ended":                                {streamEnd{state: streamEnded}, nil, nil, nil, false},
		"ended, and the context is over":       {streamEnd{state: streamEnded}, nil, cause, nil, false},
		"ended, and the caller has an error":   {streamEnd{state: streamEnded}, seen, nil, seen, false},
		"broken":                               {streamEnd{state: streamBroken, fault: fault}, nil, nil, fault, false},
		"broken, and the caller has an error":  {streamEnd{state: streamBroken, fault: fault}, seen, nil, seen, false},
		"broken by a cancellation":             {streamEnd{state: streamBroken, fault: context.Canceled}, nil, nil, context.Canceled, true},
		"left":                                 {streamEnd{state: streamLeft}, nil, nil, nil, true},
		"left after the context was over":      {streamEnd{state: streamLeft}, nil, cause, cause, false},
		"left after the context was cancelled": {streamEnd{state: streamLeft}, nil, context.Canceled, context.Canceled, true},
	} {
		t.Run(name, func(t *testing.T) {
			canceled, err := row.end.outcome(row.seen, row.cause)
			if !errors.Is(err, row.err) || canceled != row.canceled {
				t.Errorf("got %v, %v, want %v, %v", err, canceled, row.err, row.canceled)
			}
		})
	}
}

// A record is completed at once when the context ends, unless its end is under way.
func TestStreamEndCut(t *testing.T) {
	seen := errors.New("seen")
	for name, row := range map[string]struct {
		end  streamEnd
		want bool
	}{
		"open":               {streamEnd{}, true},
		"broken":             {streamEnd{state: streamBroken, fault: io.ErrUnexpectedEOF}, true},
		"broken and closed":  {streamEnd{state: streamBroken, fault: io.ErrUnexpectedEOF, closed: true}, false},
		"ended":              {streamEnd{state: streamEnded}, false},
		"left, which closed": {streamEnd{state: streamLeft, closed: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			e := row.end
			if got := e.cut(context.Canceled, seen); got != row.want {
				t.Errorf("got %v", got)
			}
			if row.want && e.fault != seen {
				t.Errorf("what the caller has seen became %v", e.fault)
			}
		})
	}
}
