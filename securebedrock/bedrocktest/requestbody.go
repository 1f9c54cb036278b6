package bedrocktest

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// addPlainBody protects a client's request bodies from an answer that arrives very
// fast, as over loopback.
//
// The SDK closes a request's body as soon as the answer's headers arrive. Over
// HTTP/1.1, net/http may still be reading the end of the body, with WriteTo if the
// body has that method. The closed body of smithy-go returns io.EOF from WriteTo,
// where io.WriterTo requires nil. net/http then treats the request as failed and
// closes the connection while the answer is being read. Read of the same body is
// correct, so a body with only Read and Seek is safe.
func addPlainBody(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("bedrocktest.PlainBody", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		req, ok := in.Request.(*smithyhttp.Request)
		if !ok {
			return middleware.DeserializeOutput{}, middleware.Metadata{}, fmt.Errorf("bedrocktest: unknown transport type %T", in.Request)
		}
		// A body of another type is not the SDK's, and is left alone.
		if body, ok := req.GetStream().(*bytes.Reader); ok {
			var err error
			if in.Request, err = req.SetStream(struct{ io.ReadSeeker }{body}); err != nil {
				return middleware.DeserializeOutput{}, middleware.Metadata{}, err
			}
		}
		return next.HandleDeserialize(ctx, in)
	}), middleware.After)
}
