package session

import (
	"context"
	"io"

	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// maxCredentials bounds an answer that holds credentials, which has a few thousand
// bytes.
const maxCredentials = 1 << 20

func boundedAnswer(op string, body io.ReadCloser) io.ReadCloser {
	return &pinned.Bounded{ReadCloser: body, Left: maxCredentials, TooLong: pinned.TooLongFunc(func() error {
		return refuse(op, refusal.AnswerSize, "an answer with credentials has more than %d bytes", maxCredentials)
	})}
}

// boundSTS bounds what an STS client of the owner's reads as an answer.
func boundSTS(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("securebedrock:bound", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
		middleware.DeserializeOutput, middleware.Metadata, error,
	) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if resp, ok := out.RawResponse.(*smithyhttp.Response); ok && resp.Body != nil {
			resp.Body = boundedAnswer(opAssumeRole, resp.Body)
		}
		return out, metadata, err
	}), middleware.After)
}
