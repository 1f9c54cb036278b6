package securebedrock

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
)

// stream is the end of an exchange: it gathers the Outcome and completes it
// once. For an event stream it is fed by the observer on the answer's body.
//
// An event stream is over when its body is closed, which the SDK does at its
// end, on an error, and when the caller closes it. That can happen before the
// call has returned the stream, so completion waits for both.
//
// An open stream outlives the call by hours, so it holds nothing of the exchange but
// what it needs.
type stream struct {
	life    *lifetime     // of the client
	answers *answerReader // of the client
	op      *operation
	model   string       // as the rules left it, once there is a body
	start   time.Time    // Call.Start
	onEvent func(any)    // Call.OnEvent
	cause   func() error // why the exchange's own context is over; of a stream only
	done    completion

	mu       sync.Mutex
	tally    tally // of an InvokeModel's usage; the gate begins it
	outcome  Outcome
	returned bool        // the call has returned: err can be asked
	closed   bool        // the body is closed
	ended    bool        // the body was read to a proper end
	body     io.Closer   // observed
	raw      io.Closer   // of an answer that is no stream
	live     *duplexWire // bidirectional only
	counted  bool        // among the calls in flight
	made     eventStream // by the SDK
	fault    error       // what the observer found wrong
	canceled bool        // the caller's doing
	err      func() error
	release  func() // frees what the open stream holds
}

// named makes the public error of a refusal in this stream.
func (s *stream) named(err error) error { return named(err, s.op.name, s.model) }

// unary completes a call whose whole answer is here.
func (s *stream) unary(d *delivery, model string, out any, metadata middleware.Metadata) error {
	s.readMetadata(d, metadata)
	s.answers.output(out, &s.outcome, &s.tally)
	err := complete(out)
	if err == nil && s.op.guarded {
		err = s.answers.trace.verify(&s.outcome.Guardrail)
	}
	if err != nil {
		err = named(err, s.op.name, model)
	}
	s.outcome.Err = err
	s.outcome.Latency = time.Since(s.start)
	s.done.complete(&s.outcome)
	return err
}

// fail completes a call that got no answer.
func (s *stream) fail(d *delivery, err error, metadata middleware.Metadata) {
	s.mu.Lock()
	s.readMetadata(d, metadata)
	s.outcome.Err = err
	s.outcome.Canceled = errors.Is(err, context.Canceled)
	s.outcome.Latency = time.Since(s.start)
	out := s.outcome
	s.mu.Unlock()
	s.done.complete(&out)
}

// abandon closes the body of a stream that the caller will not get, because
// something outside of the SDK failed the call after the answer had begun.
// The caller of a bidirectional call has his stream by then, and reads err from it.
func (s *stream) abandon(err error) {
	s.mu.Lock()
	body := s.body
	s.mu.Unlock()
	if s.raw != nil {
		s.raw.Close()
	}
	if s.live != nil {
		s.live.cut(err)
	}
	if body != nil {
		body.Close()
	}
	if s.made != nil && !s.op.duplex {
		s.made.Close()
	}
}

func (s *stream) readMetadata(d *delivery, metadata middleware.Metadata) {
	if id, ok := awsmiddleware.GetRequestIDMetadata(metadata); ok {
		s.outcome.RequestID = id
	}
	s.outcome.Attempts, s.outcome.Throttled, s.outcome.Wait = d.sends, d.throttled, d.waited().Truncate(time.Millisecond)
	s.outcome.AccessKeyID, s.outcome.Principal = d.accessKey, d.principal
}

// open takes note that the call has returned its stream, and looks after it
// from then on: a cancelled context completes the record at once, and the
// client's Close cancels it.
func (s *stream) open(ctx context.Context, d *delivery, cancel context.CancelCauseFunc, out any, metadata middleware.Metadata) {
	es := eventStreamOf(out)
	forget := s.life.streams.add(es, func() {
		cancel(s.named(refuse(ErrStreamTruncated, "the client was closed")))
	})
	s.counted = true
	s.life.calls.add()
	unwatch := context.AfterFunc(ctx, func() {
		defer s.cancelled(context.Cause(ctx)) // last: an OnDone may end the goroutine
		// The SDK's goroutines end when somebody takes the events that are left,
		// and so comes to the error. Where nobody does, they are taken later.
		s.life.streams.closeLater(es)
	})
	s.mu.Lock()
	s.readMetadata(d, metadata)
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

// cancelled completes the record of a stream whose context is over.
func (s *stream) cancelled(cause error) {
	s.mu.Lock()
	if s.closed || s.ended { // settle is about to complete it
		s.mu.Unlock()
		return
	}
	// What the caller has seen of the end before this stands.
	if s.err != nil && s.err() != nil {
		s.fault = s.err()
	}
	if s.fault == nil {
		s.fault = cause
	}
	s.canceled = errors.Is(s.fault, context.Canceled)
	s.outcome.Err, s.outcome.Canceled = s.fault, s.canceled
	s.outcome.Latency = time.Since(s.start)
	out := s.outcome
	s.mu.Unlock()
	s.complete(&out)
}

// complete hands out the Outcome; then the call is no longer in flight.
func (s *stream) complete(out *Outcome) {
	ran := true
	defer func() {
		if ran && s.counted {
			s.life.calls.end()
		}
	}()
	ran = s.done.complete(out)
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
	if err := s.err(); err != nil { // what the caller gets
		s.fault = err
	}
	if s.fault == nil && !s.ended {
		s.fault = s.cause() // closed after its context was cancelled
	}
	s.outcome.Err = s.fault
	s.outcome.Canceled = s.canceled || errors.Is(s.fault, context.Canceled) || s.fault == nil && !s.ended
	s.outcome.Latency = time.Since(s.start)
	out := s.outcome
	s.mu.Unlock()
	defer release() // an OnDone may end the goroutine
	s.complete(&out)
}
