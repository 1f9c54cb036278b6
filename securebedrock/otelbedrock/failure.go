package otelbedrock

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// failure is what is told of an error: words from a list, and the service's code.
type failure struct {
	kind string // error.type; empty without an error
	rule string // where a rule spoke, of securebedrock or of a middleware

	rejected bool // Bedrock refused the request, as it does for a model that there is not
}

const (
	kindPanic    = "panic"
	kindDeadline = "deadline_exceeded"
	kindCanceled = "canceled"
	kindSend     = "request_send"
	kindOther    = "_OTHER" // the convention's fallback
)

func failureOf(err error) failure {
	if err == nil {
		return failure{}
	}
	f := failure{rejected: rejected(err)}
	if f.rule = securebedrock.RuleName(err); f.rule != "" {
		f.kind = f.rule
		return f
	}
	f.kind = kindOf(err)
	return f
}

// rejected reports a 400, 403 or 404.
func rejected(err error) bool {
	var response interface{ HTTPStatusCode() int }
	if !errors.As(err, &response) {
		return false
	}
	switch response.HTTPStatusCode() {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
		return true
	}
	return false
}

// kindOf is the error.type of an error of no rule.
func kindOf(err error) string {
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &api):
		if code := word(api.ErrorCode()); code != "" {
			return code
		}
	case errors.Is(err, context.Canceled): // before the send that it ended
		return kindCanceled
	case errors.Is(err, context.DeadlineExceeded):
		return kindDeadline
	case errors.As(err, &send):
		return kindSend
	}
	return kindOther
}
