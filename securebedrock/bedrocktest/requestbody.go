package bedrocktest

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// addPlainBody makes a client's request bodies safe against an answer that is
// very fast, as one over loopback is.
//
// The SDK closes a request's body as soon as the answer's headers are there.
// Over HTTP/1.1 net/http may still be looking for the body's end by then, with
// WriteTo if the body has it; smithy-go's closed body returns io.EOF from
// WriteTo, where io.WriterTo wants nil, and net/http takes that for a failed
// request and closes the connection under the answer. Read of the same body is
// sound, so a body that has nothing but Read and Seek is, too.
func addPlainBody(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("bedrocktest.PlainBody", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		req, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.DeserializeOutput{}, middleware.Metadata{}, fmt.Errorf("bedrocktest: unknown transport type %T", in.Request)
		}
		// A body of any other type than the SDK's is its owner's to look after.
		if body, ok := req.GetStream().(*bytes.Reader); ok {
			var err error
			if in.Request, err = req.SetStream(struct{ io.ReadSeeker }{body}); err != nil {
				return middleware.DeserializeOutput{}, middleware.Metadata{}, err
			}
		}
		return next.HandleDeserialize(ctx, in)
	}), middleware.After)
}
