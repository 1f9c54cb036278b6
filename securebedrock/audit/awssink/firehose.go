package awssink

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/firehose"
	"github.com/aws/aws-sdk-go-v2/service/firehose/types"

	"github.com/securebedrock/securebedrock-go/internal/token"
)

// FirehoseAPI is *firehose.Client.
type FirehoseAPI interface {
	PutRecordBatch(context.Context, *firehose.PutRecordBatchInput, ...func(*firehose.Options)) (*firehose.PutRecordBatchOutput, error)
}

// FirehoseOptions are the options of Firehose.
type FirehoseOptions struct {
	// Stream names an existing delivery stream. Required.
	Stream string
	Options
}

// The limits of PutRecordBatch, Firehose API Reference: at most 500 records and
// 4 MB a request, and 1,000 KB a record, before it is encoded.
const (
	firehoseCount = 500
	firehoseBytes = 4_000_000
	firehoseLine  = 1_000_000 - 1 // and its newline
)

// Firehose returns a sink that puts records into a delivery stream. Each record
// ends with a newline. The error wraps securebedrock.ErrConfig if options are
// missing or not valid.
func Firehose(api FirehoseAPI, opts FirehoseOptions) (*Sink, error) {
	var faults []error
	if api == nil {
		missing(&faults, "Firehose", "api")
	}
	if opts.Stream == "" {
		missing(&faults, "Firehose", "Stream")
	}
	opts.check("Firehose", &faults)
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	send := func(ctx context.Context, lines [][]byte) []error { return putRecords(ctx, api, opts.Stream, lines) }
	b := &batcher{opts: opts.Options, maxCount: firehoseCount, maxBytes: firehoseBytes, maxLine: firehoseLine, overhead: 1, send: send}
	return b.start(), nil
}

func putRecords(ctx context.Context, api FirehoseAPI, stream string, lines [][]byte) []error {
	in := &firehose.PutRecordBatchInput{DeliveryStreamName: &stream, Records: make([]types.Record, len(lines))}
	for i, line := range lines {
		in.Records[i].Data = append(append(make([]byte, 0, len(line)+1), line...), '\n')
	}
	out, err := api.PutRecordBatch(ctx, in)
	if err != nil {
		return all(len(lines), fmt.Errorf("awssink: PutRecordBatch: %w", err))
	}
	errs := make([]error, len(lines))
	if aws.ToInt32(out.FailedPutCount) == 0 {
		return errs
	}
	// The service accepted the request and rejected some of its records. Only the
	// rejected records are sent again. They then stand behind the other records of
	// this request, so a Chain's reader sees them as reordered. Firehose promises no
	// order in any case.
	for i := range errs {
		switch {
		case i >= len(out.RequestResponses):
			errs[i] = errors.New("awssink: Firehose tells nothing of the record")
		case out.RequestResponses[i].ErrorCode != nil:
			errs[i] = fmt.Errorf("awssink: Firehose did not take the record: %s", code(*out.RequestResponses[i].ErrorCode))
		}
	}
	return errs
}

// code returns an error's code if it has the form of a code.
func code(s string) string {
	if len(s) > 64 || strings.ContainsFunc(s, token.NotAlphanumeric) {
		return "(no code)"
	}
	return s
}
