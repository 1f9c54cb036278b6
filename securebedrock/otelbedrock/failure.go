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
	if rule := ruleOf(err); rule != "" {
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

// ruleOf is the word for a rule. The whole call's timeout comes first, since it
// wraps what it ended.
func ruleOf(err error) string {
	for _, r := range [...]struct {
		rule error
		word string
	}{
		{securebedrock.ErrCallTimeout, "call_timeout"},
		{securebedrock.ErrAudit, "audit"},
		{securebedrock.ErrConnectTimeout, "connect_timeout"},
		{securebedrock.ErrReadTimeout, "read_timeout"},
		{securebedrock.ErrConfig, "config"},
		{securebedrock.ErrRegion, "region"},
		{securebedrock.ErrAccount, "account"},
		{securebedrock.ErrResidency, "residency"},
		{securebedrock.ErrModel, "model"},
		{securebedrock.ErrGuardrailRequired, "guardrail_required"},
		{securebedrock.ErrGuardrailOverride, "guardrail_override"},
		{securebedrock.ErrGuardrailCoverage, "guardrail_coverage"},
		{securebedrock.ErrGuardrailUnverified, "guardrail_unverified"},
		{securebedrock.ErrUnguardedOperation, "unguarded_operation"},
		{securebedrock.ErrEndpoint, "endpoint"},
		{securebedrock.ErrAuth, "auth"},
		{securebedrock.ErrRedirect, "redirect"},
		{securebedrock.ErrStreamTruncated, "stream_truncated"},
		{securebedrock.ErrAnswerSize, "answer_size"},
		{securebedrock.ErrAnswerIncomplete, "answer_incomplete"},
	} {
		if errors.Is(err, r.rule) {
			return r.word
		}
	}
	return ""
}
