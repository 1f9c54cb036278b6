package securebedrock

import (
	"io"
	"sync"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// stream is the end of an exchange: it gathers the Outcome and completes it
// once. The observer on the answer's body feeds the stream of an event stream.
//
// An event stream is over when its body is closed. The SDK closes the body at the
// stream's end and on an error, and when the caller closes the stream. That can happen
// before the call has returned the stream, so completion waits for both.
//
// An open stream outlives the call by hours. It holds nothing of the exchange but what
// it needs.
type stream struct {
	life    *lifetime     // of the client
	answers *answerReader // of the client
	op      *operation
	model   string       // as the rules left it, once there is a body
	start   time.Time    // Call.Start
	onEvent func(any)    // Call.OnEvent
	cause   func() error // why the exchange's own context is over; of a stream only
	done    completion

	mu      sync.Mutex
	tally   *tally // of an InvokeModel's usage; the gate begins it
	outcome Outcome
	end     streamEnd
	body    io.Closer    // observed
	raw     io.Closer    // of an answer that is no stream
	live    *duplexWire  // bidirectional only
	made    eventStream  // by the SDK
	seen    func() error // what the caller has seen of the end; nil before the call has returned
	release func()       // frees what the open stream holds; nil before the call has returned, and once it ran
}

// named makes the public error of a refusal in this stream.
func (s *stream) named(err error) error { return named(err, s.op.name, s.model) }

// unary completes a call whose whole answer is here.
func (s *stream) unary(d *delivery, model string, out any, metadata middleware.Metadata) error {
	s.readMetadata(d, metadata)
	if s.op.tallied && s.tally == nil { // a step of the application's answered
		s.tally = new(tally)
	}
	s.op.tells(s.answers, out, &s.outcome, s.tally)
	err := incomplete(s.op.lacks(out))
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
	s.outcome.Canceled = canceledByCaller(err)
	s.outcome.Latency = time.Since(s.start)
	out := s.outcome
	s.mu.Unlock()
	s.done.complete(&out)
}

// abandon closes the body of a stream that the caller will not get, because
// something outside of the SDK failed the call after the answer had begun. The caller
// of a bidirectional call has the stream by then, and reads err from it.
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
	s.outcome.Attempts, s.outcome.Throttled, s.outcome.Wait = d.Sends, d.Throttled, d.Waited().Truncate(time.Millisecond)
	s.outcome.AccessKeyID, s.outcome.Principal = d.accessKey, d.principal
}
