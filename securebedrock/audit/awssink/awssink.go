// Package awssink writes audit records to CloudWatch Logs and to Amazon Data
// Firehose, one line of JSON for each record.
//
//	logs, err := awssink.CloudWatchLogs(cloudwatchlogs.NewFromConfig(cfg), awssink.LogsOptions{Group: "bedrock-audit", Stream: host})
//	record, err := audit.Middleware(logs, audit.Options{})
//	…
//	err = audit.Close(logs)
//
// Write returns when the service has the record, so a call is not sent before its
// intent is safe. Records that are written at the same time share a request. With
// Options.Buffer, Write returns at once and the requests are larger. A Chain needs
// a buffer because a Chain writes one record after the other. A process that dies
// loses the buffered records: call Flush before a Lambda handler returns.
//
// A sink sends one request at a time, in the order of the writes. A record that
// failed is sent again before the next request, so CloudWatch Logs receives the
// records in order. Firehose does not promise to deliver in order. A Firehose
// request that is accepted in part is out of order already: sort a chain's lines by
// chain.seq before audit.Verify.
//
// The sinks do not create log groups, log streams or delivery streams. They need no
// permission other than logs:PutLogEvents or firehose:PutRecordBatch.
package awssink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// Options are the options that both sinks share.
type Options struct {
	// Buffer is the number of records that may wait after their Write has returned.
	// A Write to a full buffer waits for room until its context ends. Zero: Write
	// waits until its record is stored.
	Buffer int
	// Linger is how long a request waits for more records. Zero: no wait without a
	// Buffer, and 200 ms with a Buffer.
	Linger time.Duration
	// Attempts is the number of times that a record is sent. Each of these sends
	// has the SDK's own retries. The pauses between the sends start at 100 ms and
	// double. Zero: 4.
	Attempts int
	// Timeout bounds one send, including the SDK's retries, also when the client
	// ignores its context. Timeout also bounds one call of OnLost. A send that has
	// not returned is waited for and not repeated. Zero: 30 s.
	Timeout time.Duration
	// CloseTimeout bounds Close. Records that are not stored by then are lost.
	// Zero: 30 s.
	CloseTimeout time.Duration
	// OnLost receives each buffered record that could not be stored. The sink waits
	// for OnLost. A panic of OnLost is caught and reported by Flush or Close. A
	// call that does not return within Timeout is left running, and no other call
	// of OnLost begins before that call has returned.
	OnLost func(r *audit.Record, err error)
}

// ErrTooLarge is the error of a record that is longer than the service accepts.
// Lower audit.ContentPolicy.MaxBytes.
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

// Sink is a sink for one of the two services. It is safe for concurrent use.
type Sink struct{ b *batcher }

var (
	_ audit.Sink    = (*Sink)(nil)
	_ audit.Flusher = (*Sink)(nil)
)

// Write implements audit.Sink. If ctx ends first, it is unknown whether the record
// is stored.
func (s *Sink) Write(ctx context.Context, r *audit.Record) error { return s.b.write(ctx, r) }

// Flush waits until every record that was written before the Flush is stored or
// lost, or until ctx ends.
//
// Flush fails if one of these records was buffered and lost, unless an earlier
// Flush had already reported the loss before this Flush began. Flushes that run at
// the same time may all report a loss. Close reports a loss that no Flush has
// reported.
func (s *Sink) Flush(ctx context.Context) error { return s.b.flush(ctx) }

// Close stores the buffered records and ends the sink. Close takes at most
// CloseTimeout, and a moment longer when something ignores its context: up to
// Timeout when OnLost does not return. The SDK's client stays open. A later Close
// returns the result of the first Close.
func (s *Sink) Close() error { return s.b.close() }
