package awssink

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
)

// LogsAPI is *cloudwatchlogs.Client.
type LogsAPI interface {
	PutLogEvents(context.Context, *cloudwatchlogs.PutLogEventsInput, ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.PutLogEventsOutput, error)
}

// LogsOptions are the options of CloudWatchLogs.
type LogsOptions struct {
	// Group and Stream name an existing log group and log stream. Required. Give
	// each process its own stream.
	Group, Stream string
	Options
}

// The limits of PutLogEvents, CloudWatch Logs API Reference: a request has at most
// 10,000 events and 1,048,576 bytes, where an event counts 26 more than its text;
// an event has at most 1 MB. (Older pages say 256 KB.)
const (
	logsCount    = 10_000
	logsBytes    = 1_048_576
	logsLine     = 1_000_000
	logsOverhead = 26
)

var errRejected = errors.New("awssink: CloudWatch Logs rejected the record for its time: see that the clock is right")

// CloudWatchLogs returns a sink that stores records as log events. An event has the
// time of its send, which never goes back, because the service sorts by this time.
// The record's own time is in the line. The error wraps securebedrock.ErrConfig if
// options are missing or not valid.
func CloudWatchLogs(api LogsAPI, opts LogsOptions) (*Sink, error) {
	var faults []error
	if api == nil {
		missing(&faults, "CloudWatchLogs", "api")
	}
	if opts.Group == "" {
		missing(&faults, "CloudWatchLogs", "Group")
	}
	if opts.Stream == "" {
		missing(&faults, "CloudWatchLogs", "Stream")
	}
	opts.check("CloudWatchLogs", &faults)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	l := &logs{api: api, group: opts.Group, stream: opts.Stream}
	b := &batcher{opts: opts.Options, maxCount: logsCount, maxBytes: logsBytes, maxLine: logsLine, overhead: logsOverhead, send: l.send}
	return b.start(), nil
}

type logs struct {
	api           LogsAPI
	group, stream string
	last          int64 // milliseconds
}

func (l *logs) send(ctx context.Context, lines [][]byte) []error {
	l.last = max(l.last, time.Now().UnixMilli())
	in := &cloudwatchlogs.PutLogEventsInput{LogGroupName: &l.group, LogStreamName: &l.stream, LogEvents: make([]types.InputLogEvent, len(lines))}
	for i, line := range lines {
		in.LogEvents[i] = types.InputLogEvent{Message: aws.String(string(line)), Timestamp: aws.Int64(l.last)}
	}
	out, err := l.api.PutLogEvents(ctx, in)
	if err != nil {
		return all(len(lines), fmt.Errorf("awssink: PutLogEvents: %w", err))
	}
	errs := make([]error, len(lines))
	// An answer with status 200 can list events that were rejected.
	if r := out.RejectedLogEventsInfo; r != nil {
		for i := range errs {
			if r.TooNewLogEventStartIndex != nil && i >= int(*r.TooNewLogEventStartIndex) ||
				r.TooOldLogEventEndIndex != nil && i < int(*r.TooOldLogEventEndIndex) ||
				r.ExpiredLogEventEndIndex != nil && i < int(*r.ExpiredLogEventEndIndex) {
				errs[i] = errRejected
			}
		}
	}
	return errs
}
