// Package awssink writes audit records to CloudWatch Logs and to Amazon Data
// Firehose, a line of JSON each.
//
//	logs, err := awssink.CloudWatchLogs(cloudwatchlogs.NewFromConfig(cfg), awssink.LogsOptions{Group: "bedrock-audit", Stream: host})
//	record, err := audit.Middleware(logs, audit.Options{})
//	…
//	err = audit.Close(logs)
//
// A Write returns when the service has the record, so that a call is not sent
// before its intent is safe. Records that come at the same time go in one request.
// With Options.Buffer a Write returns at once, and records go in larger requests:
// that is what a Chain needs, which writes one record after the other. What is
// buffered is lost when the process dies; Flush it before a Lambda handler returns.
//
// Requests go one at a time, in the order of the writes, and what fails is sent
// again before the next. So CloudWatch Logs has the records in order. Firehose does
// not promise to deliver in order, and a request of which it takes a part is out of
// order already: sort a chain's lines by chain.seq before audit.Verify.
//
// The sinks make no log group, log stream or delivery stream. They need
// logs:PutLogEvents, or firehose:PutRecordBatch, and no more.
package awssink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// Options are those that both sinks have.
type Options struct {
	// Buffer is the number of records that may wait to be sent while Write has
	// returned already. Zero: Write waits until its record is stored. A Write to a
	// full buffer waits for room, until its context ends.
	Buffer int
	// Linger is how long a request waits for more records. Zero: not at all without
	// a Buffer, and 200 ms with one.
	Linger time.Duration
	// Attempts counts the sends of a record, each with the SDK's own retries, with
	// pauses from 100 ms on that double. Zero: 4.
	Attempts int
	// Timeout bounds one send, the SDK's retries included, whether the client heeds
	// its context or not, and one call of OnLost. A send that does not return is
	// waited for, and not made twice. Zero: 30 s.
	Timeout time.Duration
	// CloseTimeout bounds Close; what is not stored then is lost. Zero: 30 s.
	CloseTimeout time.Duration
	// OnLost is given each buffered record that could not be stored. It holds up
	// the sink. A panic of it is caught and told by Flush or Close. While one call
	// of it has not returned in Timeout there is no other one.
	OnLost func(r *audit.Record, err error)
}

// ErrTooLarge is the error of a record that is longer than the service takes: lower
// audit.ContentPolicy.MaxBytes.
var ErrTooLarge = errors.New("awssink: the record is too large for the service")

func (o *Options) check(name string, faults *[]error) {
	if o.Buffer < 0 || o.Linger < 0 || o.Attempts < 0 || o.Timeout < 0 || o.CloseTimeout < 0 {
		*faults = append(*faults, fmt.Errorf("%w: awssink: %s: Buffer, Linger, Attempts, Timeout and CloseTimeout cannot be negative", securebedrock.ErrConfig, name))
	}
	if o.Linger == 0 && o.Buffer > 0 {
		o.Linger = 200 * time.Millisecond
	}
	if o.Attempts == 0 {
		o.Attempts = 4
	}
	if o.Timeout == 0 {
		o.Timeout = 30 * time.Second
	}
	if o.CloseTimeout == 0 {
		o.CloseTimeout = 30 * time.Second
	}
}

func missing(faults *[]error, name, field string) {
	*faults = append(*faults, fmt.Errorf("%w: awssink: %s: %s is missing", securebedrock.ErrConfig, name, field))
}

// Sink is a sink of one of the services.
type Sink struct{ b *batcher }

var (
	_ audit.Sink    = (*Sink)(nil)
	_ audit.Flusher = (*Sink)(nil)
)

// Write implements audit.Sink. Where ctx ends first it is not known whether the
// record is stored.
func (s *Sink) Write(ctx context.Context, r *audit.Record) error { return s.b.write(ctx, r) }

// Flush returns when every record that was written before it is stored or lost, or
// ctx ends. It fails where a buffered one of them was lost, unless a Flush had told
// of the loss before this one began: a loss is told by each Flush that begins
// before one of them has returned it, and by Close where none has.
func (s *Sink) Flush(ctx context.Context) error { return s.b.flush(ctx) }

// Close stores what is buffered and ends the sink, within CloseTimeout, and a moment
// for what does not heed its context: up to Timeout where OnLost does not return.
// The SDK's client stays open. Later calls return what the first did.
func (s *Sink) Close() error { return s.b.close() }
