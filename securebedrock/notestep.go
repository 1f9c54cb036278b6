package securebedrock

import (
	"context"

	"github.com/aws/smithy-go/middleware"
)

// noteStep stands in the place of the SDK's event stream step, and notes the stream
// that the SDK has made. The stream can then be closed where any later step fails the
// call.
type noteStep struct {
	sdk middleware.DeserializeMiddleware
}

func (*noteStep) ID() string { return eventStreamStep }

func (s *noteStep) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
	middleware.DeserializeOutput, middleware.Metadata, error,
) {
	out, metadata, err := s.sdk.HandleDeserialize(ctx, in, next)
	if ex := exchangeOf(ctx); ex != nil && err == nil {
		ex.result.made = eventStreamOf(out.Result)
	}
	return out, metadata, err
}
