package securebedrock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/eventframe"
)

// observe puts the observer on a stream's body.
func (s *stream) observe(body io.ReadCloser, model string, onEvent func(any)) io.ReadCloser {
	o := &observer{s: s, body: body}
	o.frames.OnEvent, o.frames.All = o.event, onEvent != nil
	s.mu.Lock()
	s.model, s.onEvent = model, onEvent
	s.body, s.end = o, streamEnd{}
	s.mu.Unlock()
	return o
}

// observer reads a stream's body for the SDK and looks at the frames that pass. The
// observer reads into the SDK's buffer. Every open stream would hold a buffer of its
// own.
type observer struct {
	s      *stream
	body   io.ReadCloser
	frames eventframe.Scanner
	stop   bool // messageStop has passed
	chunks chunkEnd
	told   bool // OnEvent has panicked

	err  error // the body's last
	last error // what Read has made of it

	once sync.Once
}

// Read hands on what came, and returns a typed error where a stream would end early
// without one. The SDK takes both io.EOF and io.ErrUnexpectedEOF, even within a frame,
// for an orderly end.
//
// Read makes the error once the SDK has read all that came before. Where an exception's
// frame ended the stream, the SDK reads no further, and the exception is the caller's
// error.
func (o *observer) Read(p []byte) (int, error) {
	if o.err == nil && len(p) > 0 {
		var n int
		n, o.err = o.body.Read(p)
		n = o.frames.Feed(p[:n])
		if o.frames.Lost() {
			o.err = errFraming
		}
		if n > 0 || o.err == nil {
			return n, nil
		}
	}
	if o.err != nil && o.last == nil {
		o.last = o.streamError(o.err)
	}
	return 0, o.last
}

var errFraming = errors.New("framing")

// streamError turns the body's last error into the stream's.
func (o *observer) streamError(err error) error {
	s := o.s
	var timeout *TimeoutError
	var cut error
	if s.live != nil {
		cut = s.live.causeOf()
	}
	switch {
	case cut != nil:
		err = cut
	case err == errFraming:
		err = refuse(ErrStreamTruncated, fmt.Sprintf("an event's lengths make no sense, or are over %d bytes", eventframe.MaxFrame))
	case err == io.EOF && !o.frames.Between():
		err = refuse(ErrStreamTruncated, "it ended inside an event")
	case err == io.EOF && s.op.name == "ConverseStream" && !o.stop:
		err = refuse(ErrStreamTruncated, "it ended without messageStop")
	case err == io.EOF && s.op.name == "InvokeModelWithResponseStream" && s.outcome.Events == 0:
		err = refuse(ErrStreamTruncated, "it ended without an event")
	case err == io.EOF && o.chunks.early(&s.outcome):
		err = refuse(ErrStreamTruncated, "it ended before the model's own end, which its chunks announced")
	case err == io.EOF && s.op.guarded:
		s.mu.Lock()
		if refusal := s.answers.trace.verify(&s.outcome.Guardrail); refusal != nil {
			err = refusal
		}
		s.mu.Unlock()
	case err == io.EOF:
	case errors.As(err, &timeout):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		if cause := s.cause(); cause != nil {
			err = cause
		}
	default:
		// The inner error is kept but for its being io.ErrUnexpectedEOF itself.
		err = refuse(fmt.Errorf("%w: %w", ErrStreamTruncated, err), "")
	}
	if err != io.EOF {
		err = s.named(err)
	}
	s.mu.Lock()
	left := s.end.closed // the caller closed the stream under a Read
	s.end.read(err)
	s.mu.Unlock()
	if s.live != nil {
		if err == io.EOF || left {
			s.live.discard()
		} else {
			s.live.pipe.fail(err)
		}
	}
	return err
}

// Close is called by the SDK at the end of a stream, and for the caller.
func (o *observer) Close() error {
	var err error
	o.once.Do(func() {
		o.s.mu.Lock()
		o.s.end.close()
		o.s.mu.Unlock()
		err = o.body.Close()
		if o.s.live != nil {
			o.s.live.discard()
		}
		o.s.settle()
	})
	return err
}

// event looks at one frame. Only the few that tell something are decoded.
func (o *observer) event(kind string, frame []byte) {
	s := o.s
	if s.onEvent != nil && frame != nil {
		if ev, err := s.answers.events.decodeEvent(s.op.events, frame); err == nil {
			o.tell(ev)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.outcome.Events++
	if s.outcome.FirstEvent == 0 {
		s.outcome.FirstEvent = time.Since(s.start)
	}
	if kind == eventframe.MessageStop {
		o.stop = true
	}
	if frame == nil || kind == "" {
		return
	}
	if kind == eventframe.Chunk && s.tally != nil {
		body := chunkBody(frame)
		s.answers.chunk(body, &s.outcome, s.tally)
		if !s.op.duplex {
			o.chunks.see(body)
		}
		return
	}
	ev, err := s.answers.events.decodeEvent(s.op.events, frame)
	if err != nil {
		return // the SDK will say so
	}
	s.answers.event(ev, &s.outcome)
}

// tell gives an event to OnEvent, on a goroutine of its own: a runtime.Goexit there
// would end the SDK's, and the stream would seem to end well. A panic is told once a
// stream.
func (o *observer) tell(ev any) {
	log := o.s.done.log
	if o.told {
		log = nil
	}
	over := make(chan struct{})
	ok := false
	go func() {
		defer close(over)
		ok = runCaught(log, "Call.OnEvent", func() { o.s.onEvent(ev) })
	}()
	<-over
	o.told = o.told || !ok
}
