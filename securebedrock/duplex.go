package securebedrock

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// The SDK (bedrockruntime v1.63.11) starts InvokeModelWithBidirectionalStream in
// a goroutine and waits for it to reach the event stream middleware. An error
// before that, a refusal among them, leaves the caller waiting for ever. So such
// a call is run through the rest of the stack once more, dead: nothing is sent,
// and the answer is a stream whose first read is the error.

// refusal carries the error to Client.InvokeModelWithBidirectionalStream, which
// returns it instead of the stream.
type refusal struct{ err atomic.Pointer[error] }

type refusalKey struct{}

// duplexResult finds the stream that a bidirectional call has handed out. The
// SDK's own middleware reports every success as an error of its own that wraps
// nothing ("unexpected type of result").
func duplexResult(metadata *middleware.Metadata, err error) (any, error) {
	out, ok := middleware.GetEventStreamOutputToMetadata[bedrockruntime.InvokeModelWithBidirectionalStreamOutput](metadata)
	switch {
	case !ok && err == nil:
		return nil, errNoStream
	case !ok:
		return nil, err
	case err != nil && errors.Unwrap(err) != nil:
		return nil, err
	}
	return out, nil
}

var errNoStream = errors.New("securebedrock: the SDK returned no stream")

// deliver brings the error of a call to a caller who still waits for its stream.
// One who already has the stream gets it closed.
func (g *guard) deliver(ctx context.Context, next middleware.InitializeHandler, op *operation, metadata *middleware.Metadata, err error) {
	if out, ok := middleware.GetEventStreamOutputToMetadata[bedrockruntime.InvokeModelWithBidirectionalStreamOutput](metadata); ok {
		out.GetStream().Close()
		return
	}
	if r, ok := ctx.Value(refusalKey{}).(*refusal); ok {
		r.err.Store(&err)
	}
	// Neither the caller's context nor its input may stop this pass.
	st := &state{Context: context.WithoutCancel(ctx), g: g, op: op, dead: err}
	_, _, _ = next.HandleInitialize(st.carried(st.Context), middleware.InitializeInput{
		Parameters: &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String("refused")},
	})
}

// duplexPipe is where the SDK writes what the caller sends. Its reading end is
// never closed by the SDK, so that a Send, or a Close, after the answer has ended
// would wait for ever.
func duplexPipe(op *operation, req *smithyhttp.Request) io.Closer {
	if pipe, ok := req.GetStream().(io.Closer); ok && op.duplex {
		return pipe
	}
	return http.NoBody
}

func deadAnswer(err error) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/2.0", ProtoMajor: 2,
		Header: http.Header{}, Body: deadBody{err},
	}
}

type deadBody struct{ err error }

func (b deadBody) Read([]byte) (int, error) {
	// io.EOF itself would be an orderly end.
	return 0, &smithy.OperationError{ServiceID: bedrockruntime.ServiceID, OperationName: "InvokeModelWithBidirectionalStream", Err: b.err}
}
func (b deadBody) Close() error { return nil }

var _ io.ReadCloser = deadBody{}

func (c *Client) duplex(ctx context.Context, params *bedrockruntime.InvokeModelWithBidirectionalStreamInput, optFns []func(*bedrockruntime.Options)) (*bedrockruntime.InvokeModelWithBidirectionalStreamOutput, error) {
	r := new(refusal)
	out, err := c.inner.InvokeModelWithBidirectionalStream(context.WithValue(ctx, refusalKey{}, r), params, c.locked(optFns)...)
	if refused := r.err.Load(); err == nil && refused != nil {
		out.GetStream().Close()
		return nil, &smithy.OperationError{ServiceID: bedrockruntime.ServiceID, OperationName: "InvokeModelWithBidirectionalStream", Err: *refused}
	}
	return out, err
}
