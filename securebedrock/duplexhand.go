package securebedrock

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// handStep stands in the place of the SDK's event stream step. The SDK's step hands
// the stream to the caller before the request is sent. A later failure must end that
// stream, which the SDK leaves open.
type handStep struct{ d *duplexStep }

func (*handStep) ID() string { return eventStreamStep }

func (s *handStep) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	d := s.d
	if !d.answered.CompareAndSwap(false, true) {
		err := context.Cause(ctx)
		if err == nil {
			err = &PolicyError{Rule: ErrConfig, Operation: d.op.name,
				Detail: "the call was already sent, and its caller writes to the first request; a bidirectional call is sent once"}
		}
		return middleware.DeserializeOutput{}, middleware.Metadata{}, &onceError{err}
	}
	var failed error
	handed := false
	out, metadata, err := d.sdk.HandleDeserialize(ctx, in, deserializeFunc(func(ctx context.Context, in middleware.DeserializeInput) (
		middleware.DeserializeOutput, middleware.Metadata, error,
	) {
		handed = true
		pipe := pipeOf(in.Request)
		d.pipe.Store(pipe.r)
		out, metadata, err := answerOf(ctx, in, next)
		if err != nil {
			failed = err
			pipe.fail(duplexError(failed))
			out = middleware.DeserializeOutput{RawResponse: &smithyhttp.Response{Response: failedAnswer(err)}}
		} else if r, ok := out.RawResponse.(*smithyhttp.Response); ok {
			r.Body = copiedBody{r.Body} // outermost: a step behind may have wrapped the observer's
		}
		return out, metadata, nil
	}))
	if !handed {
		d.answered.Store(false) // duplexStep will say why
		return out, metadata, err
	}
	if failed != nil {
		err = &onceError{failed}
	}
	stream, ok := middleware.GetEventStreamOutputToMetadata[bedrockruntime.InvokeModelWithBidirectionalStreamOutput](&metadata)
	if ok && failed != nil {
		endSending(stream.GetStream())
	}
	if ex := exchangeOf(ctx); ok && ex != nil {
		ex.result.made = eventStreamOf(stream)
	}
	return out, metadata, err
}

// endSending waits until the stream's writer has met the error of its pipe. The SDK is
// about to close the pipe with another error.
func endSending(es *bedrockruntime.InvokeModelWithBidirectionalStreamEventStream) {
	w, ok := es.Writer.(interface{ ErrorSet() <-chan struct{} })
	if ok {
		_ = es.Writer.Close()
		select {
		case <-w.ErrorSet():
		case <-time.After(closeGrace): // a step put another pipe in its place
		}
	}
}

// onceError is an error of a bidirectional call that must not be sent again. The caller
// keeps the writer of the first request.
type onceError struct{ err error }

func (e *onceError) Error() string        { return e.err.Error() }
func (e *onceError) Unwrap() error        { return e.err }
func (e *onceError) RetryableError() bool { return false }
