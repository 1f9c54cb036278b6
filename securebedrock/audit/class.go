package audit

import (
	"context"
	"errors"
	"net"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// ruleNames are the words for securebedrock's rules, in the order in which they
// are asked for: an error may wrap two.
func ruleNames() []ruleName {
	return []ruleName{
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
		{securebedrock.ErrConnectTimeout, "connect_timeout"},
		{securebedrock.ErrReadTimeout, "read_timeout"},
		{securebedrock.ErrCallTimeout, "call_timeout"},
		{securebedrock.ErrStreamTruncated, "stream_truncated"},
		{securebedrock.ErrAnswerSize, "answer_size"},
		{securebedrock.ErrAnswerIncomplete, "answer_incomplete"},
		{securebedrock.ErrAudit, "audit"},
		{securebedrock.ErrConfig, "config"},
	}
}

type ruleName struct {
	rule error
	name string
}

// errorOf classifies an error. It takes nothing of the error's text.
func errorOf(err error, rules []ruleName, sent bool) *Error {
	if err == nil {
		return nil
	}
	e := &Error{Class: "other"}
	for _, r := range rules {
		if errors.Is(err, r.rule) {
			e.Rule = r.name
			break
		}
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		e.Code = word(api.ErrorCode())
		if e.Service = serviceOf(err); e.Service == "" { // the SDK names itself further out
			e.Service = bedrockruntime.ServiceID
		}
	}
	var response interface{ HTTPStatusCode() int }
	if errors.As(err, &response) {
		if code := response.HTTPStatusCode(); code != http.StatusOK { // a stream's exception comes after a 200
			e.Status = code
		}
	}
	var timeout *securebedrock.TimeoutError
	var policy *securebedrock.PolicyError
	var network net.Error
	var params smithy.InvalidParamsError
	switch {
	case errors.As(err, &timeout):
		e.Class = "timeout"
	case errors.Is(err, context.Canceled):
		e.Class = "canceled"
	case e.Rule == "stream_truncated":
		e.Class = "stream"
	case errors.As(err, &policy) || e.Rule != "":
		e.Class = "refused"
	case throttled(e):
		e.Class = "throttled"
	case api != nil:
		e.Class = "service"
	case errors.Is(err, context.DeadlineExceeded):
		e.Class = "timeout"
	case errors.As(err, &network):
		e.Class = "network"
	case errors.As(err, &params):
		e.Class = "invalid" // the SDK's own validation
	case !sent && serviceOf(err) == "":
		e.Class = "application" // a middleware's own error
	}
	return e
}

// throttled knows the codes that the SDK retries as throttles
// (aws/retry.DefaultThrottleErrorCodes) and Bedrock answers with.
func throttled(e *Error) bool {
	return e.Status == http.StatusTooManyRequests || e.Code == "ThrottlingException"
}

// serviceOf is the service that failed: the innermost operation's, which is STS's
// where a role could not be assumed.
func serviceOf(err error) string {
	service := ""
	for {
		var op *smithy.OperationError
		if !errors.As(err, &op) {
			break
		}
		service, err = op.Service(), op.Err
	}
	switch service {
	case "", bedrockruntime.ServiceID, "STS", "SSO", "SSO OIDC", "Signin":
		return service
	}
	return word(service)
}
