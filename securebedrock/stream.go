package securebedrock

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
)

// stream is the end of an exchange: it gathers the Outcome and completes it
// once. For an event stream it is fed by the observer on the answer's body.
//
// An event stream is over when its body is closed, which the SDK does at its
// end, on an error, and when the caller closes it. That can happen before the
// call has returned the stream, so completion waits for both.
type stream struct {
	st   *state
	done completion

	mu       sync.Mutex
	outcome  Outcome
	returned bool // the call has returned: err can be asked
	closed   bool // the body is closed
	ended    bool // the body was read to a proper end
	body     io.Closer
	made     eventStream // by the SDK
	fault    error       // what the observer found wrong
	canceled bool        // the caller's doing
	err      func() error
	release  func() // frees what the open stream holds
}

// unary completes a call whose whole answer is here.
func (s *stream) unary(out any, metadata middleware.Metadata) error {
	s.readMetadata(metadata)
	g := s.st.g
	g.readOutput(out, &s.outcome)
	err := g.verify(s.st.op, &s.outcome.Guardrail)
	if err != nil {
		err = s.st.named(err)
	}
	s.outcome.Err = err
	s.outcome.Latency = time.Since(s.st.call.Start)
	s.done.complete(s.outcome)
	return err
}

// fail completes a call that got no answer.
func (s *stream) fail(err error, metadata middleware.Metadata) {
	s.mu.Lock()
	s.readMetadata(metadata)
	s.outcome.Err = err
	s.outcome.Canceled = errors.Is(err, context.Canceled)
	s.outcome.Latency = time.Since(s.st.call.Start)
	out := s.outcome
	s.mu.Unlock()
	s.done.complete(out)
}

// abandon closes the body of a stream that the caller will not get, because
// something outside of the SDK failed the call after the answer had begun.
func (s *stream) abandon() {
	s.mu.Lock()
	body := s.body
	s.mu.Unlock()
	if body != nil {
		body.Close()
	}
	if s.made != nil {
		s.made.Close()
	}
}

func (s *stream) readMetadata(metadata middleware.Metadata) {
	if id, ok := awsmiddleware.GetRequestIDMetadata(metadata); ok {
		s.outcome.RequestID = id
	}
	s.outcome.Attempts = s.st.sends
}

// eventStream is what the SDK's stream types have in common.
type eventStream interface {
	Close() error
	Err() error
}

func eventStreamOf(out any) eventStream {
	switch out := out.(type) {
	case *bedrockruntime.ConverseStreamOutput:
		if out != nil && out.GetStream() != nil {
			return out.GetStream()
		}
	case *bedrockruntime.InvokeModelWithResponseStreamOutput:
		if out != nil && out.GetStream() != nil {
			return out.GetStream()
		}
	case *bedrockruntime.InvokeModelWithBidirectionalStreamOutput:
		if out != nil && out.GetStream() != nil {
			return out.GetStream()
		}
	}
	return nil
}

// open takes note that the call has returned its stream, and looks after it
// from then on: a cancelled context completes the record at once, and the
// client's Close cancels it.
func (s *stream) open(ctx context.Context, cancel context.CancelCauseFunc, out any, metadata middleware.Metadata) {
	es := eventStreamOf(out)
	g := s.st.g
	forget := g.streams.add(es, func() {
		cancel(s.st.named(refuse(ErrStreamTruncated, "the client was closed")))
	})
	unwatch := context.AfterFunc(ctx, func() {
		s.cancelled(context.Cause(ctx))
		// The SDK's goroutines end when somebody reads the error or closes the
		// stream. Closed at once, the stream would seem to end without an error
		// to someone who still reads; so an abandoned one is closed later.
		wait := g.timeouts.Read
		switch {
		case g.closed.Load():
			wait = closeGrace
		case wait <= 0:
			wait = defaultReadTimeout
		}
		g.streams.closeAfter(es, wait)
	})
	s.mu.Lock()
	s.readMetadata(metadata)
	s.returned, s.err = true, es.Err
	s.release = func() { forget(); unwatch(); cancel(nil) }
	body := s.body
	if body == nil { // made by the application, in the SDK's stack: there is nothing to observe
		s.closed, s.ended = true, true
	}
	s.mu.Unlock()
	s.settle()
	if r, ok := es.(*bedrockruntime.InvokeModelWithBidirectionalStreamEventStream); ok && body != nil {
		// The SDK copies this body into a pipe and never closes it.
		if over, ok := r.Reader.(interface{ Closed() <-chan struct{} }); ok {
			go func() { <-over.Closed(); body.Close() }()
		}
	}
}

// closeGrace is how long a reader has, after the client's Close, to come to the
// error of its stream.
const closeGrace = time.Second

// cancelled completes the record of a stream whose context is over.
func (s *stream) cancelled(cause error) {
	s.mu.Lock()
	if !s.closed {
		s.fault, s.canceled = cause, errors.Is(cause, context.Canceled)
		s.outcome.Err = cause
		s.outcome.Canceled = s.canceled
		s.outcome.Latency = time.Since(s.st.call.Start)
	}
	out, closed := s.outcome, s.closed
	s.mu.Unlock()
	if !closed {
		s.done.complete(out)
	}
}

// settle completes the record when the call has returned and the body is closed.
func (s *stream) settle() {
	s.mu.Lock()
	if !s.returned || !s.closed || s.release == nil {
		s.mu.Unlock()
		return
	}
	release := s.release
	s.release = nil
	if s.fault == nil {
		s.fault = s.err()
	}
	if s.fault == nil && !s.ended {
		s.fault = s.st.cause() // closed after its context was cancelled
	}
	s.outcome.Err = s.fault
	s.outcome.Canceled = s.canceled || errors.Is(s.fault, context.Canceled) || s.fault == nil && !s.ended
	s.outcome.Latency = time.Since(s.st.call.Start)
	out := s.outcome
	s.mu.Unlock()
	s.done.complete(out)
	release()
}

// observe puts the observer on a stream's body.
func (s *stream) observe(body io.ReadCloser, pipe io.Closer) io.ReadCloser {
	o := &observer{s: s, body: body, pipe: pipe}
	o.frames.onEvent = o.event
	o.frames.reset()
	s.mu.Lock()
	s.body, s.closed, s.ended, s.fault = o, false, false, nil
	s.mu.Unlock()
	return o
}

// observer reads a stream's body for the SDK and looks at the frames that pass.
type observer struct {
	s      *stream
	body   io.ReadCloser
	pipe   io.Closer // of a bidirectional stream
	frames frameScanner
	stop   bool // messageStop has passed

	buf        [2048]byte
	start, end int
	err        error // after buf

	once sync.Once
}

// Read hands on what came, and puts a typed error where a stream would end
// early without one: the SDK takes both io.EOF and io.ErrUnexpectedEOF, even in
// a frame, for an orderly end.
func (o *observer) Read(p []byte) (int, error) {
	if o.start == o.end {
		if o.err != nil {
			return 0, o.err
		}
		var n int
		n, o.err = o.body.Read(o.buf[:])
		o.start, o.end = 0, o.frames.feed(o.buf[:n])
		if o.frames.lost {
			o.err = errFraming
		}
		if o.err != nil {
			o.err = o.over(o.err)
		}
		if o.end == 0 {
			return 0, o.err
		}
	}
	n := copy(p, o.buf[o.start:o.end])
	o.start += n
	return n, nil
}

var errFraming = errors.New("framing")

// over turns the body's last error into the stream's.
func (o *observer) over(err error) error {
	s := o.s
	st := s.st
	var timeout *readTimeoutError
	switch {
	case err == errFraming:
		err = st.named(refuse(ErrStreamTruncated, fmt.Sprintf("an event's lengths make no sense, or are over %d bytes", maxFrame)))
	case err == io.EOF && !o.frames.between():
		err = st.named(refuse(ErrStreamTruncated, "it ended inside an event"))
	case err == io.EOF && st.op.name == "ConverseStream" && !o.stop:
		err = st.named(refuse(ErrStreamTruncated, "it ended without messageStop"))
	case err == io.EOF:
		s.mu.Lock()
		if refusal := st.g.verify(st.op, &s.outcome.Guardrail); refusal != nil {
			err = st.named(refusal)
		}
		s.mu.Unlock()
	case errors.As(err, &timeout):
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		if cause := st.cause(); cause != nil {
			err = cause
		}
	default:
		// The inner error is kept but for its being io.ErrUnexpectedEOF itself.
		err = &PolicyError{Rule: fmt.Errorf("%w: %w", ErrStreamTruncated, err), Operation: st.op.name, Model: st.call.Model.ID}
	}
	s.mu.Lock()
	switch {
	case s.closed: // the caller closed the stream under a Read
	case err == io.EOF:
		s.ended = true
	default:
		s.fault = err
	}
	s.mu.Unlock()
	if st.op.duplex {
		o.pipe.Close()
	}
	return err
}

// Close is called by the SDK at the end of a stream, and for the caller.
func (o *observer) Close() error {
	var err error
	o.once.Do(func() {
		o.s.mu.Lock()
		o.s.closed = true
		o.s.mu.Unlock()
		err = o.body.Close()
		o.pipe.Close()
		o.s.settle()
	})
	return err
}

// event looks at one frame. Only the few that tell something are decoded.
func (o *observer) event(kind string, frame []byte) {
	s := o.s
	g := s.st.g
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.outcome.FirstEvent == 0 {
		s.outcome.FirstEvent = time.Since(s.st.call.Start)
	}
	if kind == eventMessageStop {
		o.stop = true
	}
	if frame == nil {
		return
	}
	if kind == eventChunk {
		g.readChunk(frame, &s.outcome)
		return
	}
	ev, err := g.protocol.decodeConverseEvent(frame)
	if err != nil {
		return // the SDK will say so
	}
	g.readEvent(ev, &s.outcome)
}

// readEvent reads the two events of a ConverseStream that are about the call.
func (g *guard) readEvent(ev smithy.Deserializable, o *Outcome) {
	switch ev := ev.(type) {
	case *types.MessageStopEvent:
		o.StopReason = string(ev.StopReason)
		if ev.StopReason == types.StopReasonGuardrailIntervened {
			o.Guardrail.Intervened = true
		}
	case *types.ConverseStreamMetadataEvent:
		o.Usage = usageOf(ev.Usage)
		if ev.Trace != nil {
			g.readTrace(ev.Trace.Guardrail, &o.Guardrail)
		}
	}
}

// streamSet holds the streams of a client that may still be open, for its Close.
type streamSet struct {
	mu     sync.Mutex
	open   map[eventStream]*openStream
	closed bool
}

type openStream struct {
	cancel func()
	timer  *time.Timer // closes it, where nobody may be reading
}

// add registers a stream and returns what forgets it.
func (s *streamSet) add(es eventStream, cancel func()) (forget func()) {
	s.mu.Lock()
	if s.open == nil {
		s.open = make(map[eventStream]*openStream)
	}
	s.open[es] = &openStream{cancel: cancel}
	closed := s.closed
	s.mu.Unlock()
	if closed {
		cancel()
	}
	return func() {
		s.mu.Lock()
		if o := s.open[es]; o != nil && o.timer == nil { // otherwise closeAfter's to forget
			delete(s.open, es)
		}
		s.mu.Unlock()
	}
}

// closeAfter closes a stream after d. Its body may be over by then: an event that
// nobody takes still holds the SDK's goroutines.
func (s *streamSet) closeAfter(es eventStream, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.open[es]
	if o == nil {
		o = new(openStream)
		s.open[es] = o
	}
	if o.timer != nil {
		return
	}
	o.timer = time.AfterFunc(d, func() {
		es.Close()
		s.mu.Lock()
		delete(s.open, es)
		s.mu.Unlock()
	})
}

// cancelAll ends the streams with an error, which someone who reads will see.
// Closed outright, a stream would seem to end well.
func (s *streamSet) cancelAll() {
	s.mu.Lock()
	s.closed = true
	var all []func()
	for _, o := range s.open {
		if o.cancel != nil {
			all = append(all, o.cancel)
		}
		if o.timer != nil {
			o.timer.Reset(closeGrace)
		}
	}
	s.mu.Unlock()
	for _, cancel := range all {
		cancel()
	}
}

// callTimeoutError is the cause of a context that Timeouts.Call ended.
type callTimeoutError struct{ after time.Duration }

func (e *callTimeoutError) Error() string {
	return fmt.Sprintf("securebedrock: the call took longer than Timeouts.Call, %v", e.after)
}
func (e *callTimeoutError) Unwrap() error { return context.DeadlineExceeded }
func (e *callTimeoutError) Timeout() bool { return true }

// bounded derives a pass's context: with Timeouts.Call, and for a stream with a
// way to end it.
func (g *guard) bounded(ctx context.Context, op *operation) (context.Context, context.CancelCauseFunc) {
	cancelTimeout := context.CancelFunc(func() {})
	if g.timeouts.Call > 0 {
		ctx, cancelTimeout = context.WithTimeoutCause(ctx, g.timeouts.Call, &callTimeoutError{g.timeouts.Call})
	}
	if !op.stream {
		return ctx, func(error) { cancelTimeout() }
	}
	ctx, cancel := context.WithCancelCause(ctx)
	return ctx, func(cause error) { cancel(cause); cancelTimeout() }
}
