package bedrockhttp

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// The exceptions that the door answers with, by name.
const (
	accessDenied       = "AccessDeniedException"
	validation         = "ValidationException"
	serialization      = "SerializationException"
	modelError         = "ModelErrorException"
	internalServer     = "InternalServerException"
	serviceUnavailable = "ServiceUnavailableException"
	unknownError       = "UnknownError" // as the SDK calls the error of an answer without a body
)

// shouldRetryHeader decides for Anthropic's SDKs whether they send a request again. The
// SDKs of AWS do not know the header.
const shouldRetryHeader = "X-Should-Retry"

// forbidden is the door's own refusal of a request.
func forbidden(message string) *wire.Error {
	return &wire.Error{Status: http.StatusForbidden, Code: accessDenied, Message: "securebedrock: " + message}
}

// retryLater is the answer to a request that may be sent again.
func retryLater(message string) *wire.Error {
	return &wire.Error{Status: http.StatusServiceUnavailable, Code: serviceUnavailable, Message: message}
}

// refusalOf is the answer that tells an error of a call.
//
// SDKs send a request again by its status and its code. AWS's do so at 500, 502, 503
// and 504, and boto3's legacy mode at 429 and 509, too; Anthropic's, OpenAI's and
// Vercel's do so at 408, 409, 429 and from 500 on. AWS's do so by the code of a throttle
// or of a request timeout as well. (aws-sdk-go-v2 aws/retry/standard.go; boto3's guide to
// retries; smithy-typescript's service-error-classification; anthropic-sdk-go
// internal/requestconfig; vercel/ai provider/src/errors/api-call-error.ts.) What must
// not be sent again therefore has status 400, 403, 404, 413 or 424.
func refusalOf(err error) *answer {
	e, retry := errorOf(err)
	header, body := e.Encode()
	a := &answer{status: e.Status, header: header, body: body}
	if e.Code == serviceUnavailable && header.Get("Retry-After") == "" {
		header.Set("Retry-After", "1")
	}
	if isOfService(e, err) || e.Code == unknownError {
		a.addService(err)
	}
	if !retry {
		header.Set(shouldRetryHeader, "false")
	}
	return a
}

// errorOf is the table from an error to the answer's status, code and message, and to
// whether the SDK may send the request again.
func errorOf(err error) (e *wire.Error, retry bool) {
	var own *wire.Error
	if errors.As(err, &own) {
		return own, sentAgain(own.Status)
	}
	fail := func(status int, code, message string) *wire.Error {
		return &wire.Error{Status: status, Code: code, Message: message}
	}
	var policy *securebedrock.PolicyError
	if errors.As(err, &policy) {
		switch {
		case errors.Is(err, securebedrock.ErrClosed):
			return fail(http.StatusServiceUnavailable, serviceUnavailable, policy.Error()), true
		case isFaultOfAnswer(policy):
			return fail(http.StatusFailedDependency, modelError, policy.Error()), false
		}
		return fail(http.StatusForbidden, accessDenied, policy.Error()), false
	}
	var timeout *securebedrock.TimeoutError
	if errors.As(err, &timeout) && timeout.Rule == securebedrock.ErrReadTimeout {
		return fail(http.StatusFailedDependency, modelError, timeoutText(timeout)), false
	}
	if api := apiError(err); api != nil {
		e := wire.ErrorOf(api)
		e.Status = statusOf(err, api)
		return e, true
	}
	var invalid smithy.InvalidParamsError
	var serialize *smithy.SerializationError
	var deserialize *smithy.DeserializationError
	var send *smithyhttp.RequestSendError
	switch {
	case timeout != nil && timeout.Rule == securebedrock.ErrConnectTimeout: // nothing was sent
		return fail(http.StatusServiceUnavailable, serviceUnavailable, timeoutText(timeout)), true
	case timeout != nil:
		return fail(http.StatusFailedDependency, modelError, timeoutText(timeout)), false
	case errors.As(err, &invalid):
		return fail(http.StatusBadRequest, validation, "securebedrock: "+invalid.Error()), false
	case errors.As(err, &serialize):
		return fail(http.StatusBadRequest, serialization, "securebedrock: the request has a value that the API cannot carry"), false
	case errors.As(err, &deserialize) && answerStatus(err) >= http.StatusBadRequest:
		status := answerStatus(err)
		return fail(status, unknownError, fmt.Sprintf("securebedrock: the answer of status %d is not in Bedrock's form; a proxy or a gateway may have answered in Bedrock's place", status)), sentAgain(status)
	case errors.As(err, &deserialize):
		return fail(http.StatusFailedDependency, modelError, "securebedrock: the answer is not in Bedrock's form"), false
	case errors.Is(err, context.DeadlineExceeded):
		return fail(http.StatusFailedDependency, modelError, "securebedrock: the deadline of the request has passed"), false
	case errors.Is(err, context.Canceled):
		return fail(http.StatusServiceUnavailable, serviceUnavailable, "securebedrock: the request was canceled"), true
	case securebedrock.RuleName(err) != "":
		return fail(http.StatusForbidden, accessDenied, "securebedrock: refused by the rule "+securebedrock.RuleName(err)), false
	case errors.As(err, &send):
		return fail(http.StatusInternalServerError, internalServer, "securebedrock: "+send.Error()), true
	}
	// The text of another error may hold anything, such as the output of a credential
	// process.
	return fail(http.StatusInternalServerError, internalServer, "securebedrock: the call failed; the record of the call has the kind of error"), true
}

// sentAgain reports whether SDKs send a request again after an answer of a status.
func sentAgain(status int) bool {
	return status >= http.StatusInternalServerError || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout
}

// isFaultOfAnswer reports whether Bedrock answered, and the answer cannot be used. A
// model has run, and a second request would cost a second time.
func isFaultOfAnswer(err error) bool {
	for _, rule := range []error{
		securebedrock.ErrReadTimeout, securebedrock.ErrCallTimeout, securebedrock.ErrStreamTruncated,
		securebedrock.ErrAnswerIncomplete, securebedrock.ErrAnswerSize,
	} {
		if errors.Is(err, rule) {
			return true
		}
	}
	return false
}

// timeoutText is the rule and the bound of a timeout, without what the timeout ended.
func timeoutText(t *securebedrock.TimeoutError) string {
	return (&securebedrock.TimeoutError{Rule: t.Rule, After: t.After}).Error()
}

// apiError is the error of the service in err; nil where there is none.
func apiError(err error) smithy.APIError {
	var api smithy.APIError
	errors.As(err, &api)
	return api
}

// statusOf is the status with which the service's error came. An error that came in a
// stream has none.
func statusOf(err error, api smithy.APIError) int {
	if status := answerStatus(err); status >= http.StatusBadRequest {
		return status
	}
	return wire.StatusOf(api.ErrorCode())
}

// answerStatus is the status of the answer that an error tells of; zero where there was
// none.
func answerStatus(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil && response.Response.Response != nil {
		return response.HTTPStatusCode()
	}
	return 0
}

// isOfService reports whether e tells an error of the service under its own name.
func isOfService(e *wire.Error, err error) bool {
	api := apiError(err)
	return api != nil && api.ErrorCode() == e.Code
}

// addService adds the headers that an answer with an error came with.
func (a *answer) addService(err error) {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) && response.Response != nil && response.Response.Response != nil {
		for _, name := range []string{"Retry-After", shouldRetryHeader} {
			if v := response.Response.Header.Get(name); v != "" {
				a.header.Set(name, v)
			}
		}
	}
	var id interface{ ServiceRequestID() string }
	if errors.As(err, &id) && id.ServiceRequestID() != "" {
		a.header.Set(requestIDHeader, id.ServiceRequestID())
	}
}

// exceptionOf is the name and the payload of the exception that ends a stream with an
// error. An error of the service keeps its name and its members: SDKs of AWS take an
// exception that their model does not have for an error of that code.
func exceptionOf(err error) (name string, payload []byte) {
	e, _ := errorOf(err)
	_, payload = e.Encode()
	code := e.Code
	switch {
	case isOfService(e, err) && code != "", code == internalServer, code == serviceUnavailable, code == validation:
	case code == serialization:
		code = validation
	default:
		code = "ModelStreamErrorException"
	}
	return strings.ToLower(code[:1]) + code[1:], payload
}

// exceptionFrame is the frame that ends a stream with an error.
func exceptionFrame(err error) ([]byte, error) { return wire.ExceptionFrameOf(exceptionOf(err)) }
