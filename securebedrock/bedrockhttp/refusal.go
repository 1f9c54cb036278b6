package bedrockhttp

import (
	"errors"
	"net/http"

	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// refusalOf is the answer that tells an error of a call.
func refusalOf(err error) *answer {
	e := errorOf(err)
	header, body := e.Encode()
	return &answer{status: e.Status, header: header, body: body}
}

func errorOf(err error) *wire.Error {
	var own *wire.Error
	var policy *securebedrock.PolicyError
	var api smithy.APIError
	switch {
	case errors.As(err, &own):
		return own
	case errors.As(err, &policy):
		return &wire.Error{Status: http.StatusForbidden, Code: "AccessDeniedException", Message: policy.Error()}
	case errors.As(err, &api):
		return wire.ErrorOf(err)
	}
	return &wire.Error{Status: http.StatusInternalServerError, Code: "InternalServerException", Message: "the call failed"}
}

// exceptionFrame is the frame that ends a stream with an error.
func exceptionFrame(err error) ([]byte, error) {
	return wire.ExceptionFrame("modelStreamErrorException", errorOf(err).Message)
}
