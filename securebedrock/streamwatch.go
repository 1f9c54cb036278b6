package securebedrock

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
)

// open notes that the call has returned its stream, and looks after the stream from
// then on. A cancelled context completes the record at once. The client's Close
// cancels the context.
func (s *stream) open(ctx context.Context, d *delivery, cancel context.CancelCauseFunc, out any, metadata middleware.Metadata) {
	es := eventStreamOf(out)
	forget := s.life.streams.add(es, func() {
		cancel(s.named(refuse(fmt.Errorf("%w: %w", ErrStreamTruncated, ErrClosed), "Close or Shutdown was called while the stream was open")))
	})
	s.life.calls.add() // complete counts the call out
	unwatch := context.AfterFunc(ctx, func() {
		defer s.cancelled(context.Cause(ctx)) // last: an OnDone may end the goroutine
		// The SDK's goroutines end when somebody takes the events that are left, and
		// so comes to the error. Where nobody does, closeLater takes them.
		s.life.streams.closeLater(es)
	})
	s.mu.Lock()
	s.readMetadata(d, metadata)
	s.seen = es.Err
	s.release = func() { forget(); unwatch(); cancel(nil) }
	body := s.body
	if body == nil { // made by the application, in the SDK's stack: there is nothing to observe
		s.end = streamEnd{state: streamEnded, closed: true}
	}
	s.mu.Unlock()
	s.settle()
	if r, ok := es.(*bedrockruntime.InvokeModelWithBidirectionalStreamEventStream); ok && body != nil {
		// The SDK copies this body into a pipe and never closes it.
		if reader, ok := r.Reader.(interface{ Closed() <-chan struct{} }); ok {
			go func() { <-reader.Closed(); body.Close() }()
		}
	}
}

// cancelled completes the record of a stream whose context is over.
func (s *stream) cancelled(cause error) {
	s.mu.Lock()
	var seen error
	if s.seen != nil {
		seen = s.seen()
	}
	if !s.end.cut(cause, seen) { // settle is about to complete the record
		s.mu.Unlock()
		return
	}
	out := s.conclude(seen)
	s.mu.Unlock()
	s.complete(&out)
}

// settle completes the record when the call has returned and the body is closed.
func (s *stream) settle() {
	s.mu.Lock()
	if s.release == nil || !s.end.closed {
		s.mu.Unlock()
		return
	}
	release := s.release
	s.release = nil
	out := s.conclude(s.seen())
	s.mu.Unlock()
	defer release() // an OnDone may end the goroutine
	s.complete(&out)
}

// conclude writes how the stream ended. mu is held.
func (s *stream) conclude(seen error) Outcome {
	var cause error
	if s.cause != nil {
		cause = s.cause()
	}
	s.outcome.Canceled, s.outcome.Err = s.end.outcome(seen, cause)
	s.outcome.Latency = time.Since(s.start)
	return s.outcome
}

// complete hands out the Outcome. The call is then no longer in flight.
func (s *stream) complete(out *Outcome) {
	ran := true
	defer func() {
		if ran {
			s.life.calls.end()
		}
	}()
	ran = s.done.complete(out)
}
