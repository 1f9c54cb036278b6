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

// errorOf classifies an error. It never uses the text of the error.
func errorOf(err error, sent bool) *Error {
	if err == nil {
		return nil
	}
	e := &Error{Class: "other", Rule: securebedrock.RuleName(err)}
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
	case errors.Is(err, context.Canceled) && !errors.Is(err, securebedrock.ErrClosed): // by the caller, and not by Close
		e.Class = "canceled"
	case errors.Is(err, securebedrock.ErrStreamTruncated):
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

// throttled reports whether the code is one that the SDK retries as a throttle
// (aws/retry.DefaultThrottleErrorCodes) and Bedrock sends.
func throttled(e *Error) bool {
	return e.Status == http.StatusTooManyRequests || e.Code == "ThrottlingException"
}

// serviceOf returns the service that failed. This is the service of the innermost
// operation: STS, if a role could not be assumed.
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
