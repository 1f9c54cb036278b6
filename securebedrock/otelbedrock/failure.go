package otelbedrock

import (
	"context"
	"errors"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// failure is what is told of an error: words from a list, and the service's code.
type failure struct {
	kind string // error.type; empty without an error
	rule string // where a rule of securebedrock's spoke
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
	if rule := securebedrock.RuleName(err); rule != "" {
		return failure{kind: rule, rule: rule}
	}
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	switch {
	case errors.As(err, &api):
		if code := word(api.ErrorCode()); code != "" {
			return failure{kind: code}
		}
	case errors.Is(err, context.Canceled): // before the send that it ended
		return failure{kind: kindCanceled}
	case errors.Is(err, context.DeadlineExceeded):
		return failure{kind: kindDeadline}
	case errors.As(err, &send):
		return failure{kind: kindSend}
	}
	return failure{kind: kindOther}
}
