package securebedrock

import (
	"errors"
	"io"
	"net/http"
	"runtime"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"
)

const (
	duplexOperation   = "InvokeModelWithBidirectionalStream"
	eventStreamStep   = "OperationEventStreamDeserializer"
	eventStreamBuild  = "EventStreamBuildMiddleware"
	eventStreamWriter = "InitializeStreamWriter"
)

// copiedBody is the body of a bidirectional stream. The SDK copies this body into a
// pipe on a goroutine of its own.
type copiedBody struct{ io.ReadCloser }

// WriteTo implements io.WriterTo, which io.Copy prefers.
func (b copiedBody) WriteTo(w io.Writer) (int64, error) {
	n, err := io.Copy(w, struct{ io.Reader }{b.ReadCloser})
	endCopy(w, err)
	return n, err
}

func duplexError(err error) error {
	var op *smithy.OperationError
	if errors.As(err, &op) {
		return err
	}
	return &smithy.OperationError{ServiceID: bedrockruntime.ServiceID, OperationName: duplexOperation, Err: err}
}

func failedAnswer(err error) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/2.0", ProtoMajor: 2,
		Header: http.Header{}, Body: failedBody{err},
	}
}

// failedBody is the body of an answer whose first read is an error.
type failedBody struct{ err error }

// Read wraps the error: io.EOF itself would be an orderly end.
func (b failedBody) Read([]byte) (int, error) { return 0, duplexError(b.err) }
func (b failedBody) Close() error             { return nil }

// WriteTo implements io.WriterTo.
func (b failedBody) WriteTo(w io.Writer) (int64, error) {
	endCopy(w, duplexError(b.err))
	return 0, duplexError(b.err)
}

// endCopy ends the goroutine on which the SDK copies the body of a bidirectional
// stream into a pipe. After the copy, that goroutine would wait for ever for another
// body (bedrockruntime v1.63.11, newAsyncEventStreamReader).
func endCopy(w io.Writer, err error) {
	pipe, ok := w.(*io.PipeWriter)
	if !ok {
		return
	}
	var pcs [8]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, "bedrockruntime.newAsyncEventStreamReader.func1") {
			pipe.CloseWithError(err)
			runtime.Goexit()
		}
		if !more {
			return
		}
	}
}
