package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
)

// Error is an error response of the service.
type Error struct {
	Status  int
	Code    string // the exception's name, such as ValidationException
	Message string

	body json.RawMessage // of an exception of the SDK, which may have more members
}

func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Encode returns the headers and the body that carry the error.
func (e *Error) Encode() (http.Header, []byte) {
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set("X-Amzn-ErrorType", e.Code+":http://internal.amazon.com/coral/com.amazon.bedrock/")
	if e.body != nil {
		return header, e.body
	}
	// A map of strings always encodes.
	body, _ := json.Marshal(map[string]string{"message": e.Message})
	return header, body
}

// Invalid is a ValidationException.
func Invalid(format string, args ...any) *Error {
	return &Error{Status: http.StatusBadRequest, Code: "ValidationException", Message: fmt.Sprintf(format, args...)}
}

// Malformed is the answer to a request that does not decode. The decoder's error
// quotes the request. The message leaves the quotation out, so that no value of a
// request is repeated.
func Malformed(err error) *Error {
	message := "The request does not deserialize: a value is malformed or of another type than the API's."
	if _, why, ok := strings.Cut(err.Error(), "deserialization failed, "); ok && strings.HasPrefix(why, "union ") {
		why, _, _ = strings.Cut(why, ":")
		message = "The request does not deserialize: " + why
	}
	return &Error{Status: http.StatusBadRequest, Code: "SerializationException", Message: message}
}

// MalformedBody is the answer to an InvokeModel body that is not in its model's
// form. why may be empty.
func MalformedBody(why string) *Error {
	if why != "" {
		why = ": #: " + why
	}
	return Invalid("Malformed input request%s, please reformat your input and try again.", why)
}

// MissingKey is the answer to an InvokeModel body without a key that its model's
// form requires.
func MissingKey(key string) *Error {
	return MalformedBody("required key [" + key + "] not found")
}

// ErrorOfException returns the error that a response has for an exception of an
// event stream: "throttlingException" becomes a ThrottlingException.
func ErrorOfException(name, message string) *Error {
	code := name
	if name != "" {
		code = strings.ToUpper(name[:1]) + name[1:]
	}
	return &Error{Status: StatusOf(code), Code: code, Message: message}
}

// ErrorOf returns err as an error of the service. An *Error is returned as it is,
// and an error of the SDK's types keeps its code and its members. Any other error becomes a
// ModelErrorException.
func ErrorOf(err error) *Error {
	var own *Error
	if errors.As(err, &own) {
		return own
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		out := &Error{Status: StatusOf(api.ErrorCode()), Code: api.ErrorCode(), Message: api.ErrorMessage()}
		if typed, ok := api.(smithy.Serializable); ok {
			if body, err := EncodeBody(typed); err == nil {
				out.body = body
			}
		}
		return out
	}
	return &Error{Status: StatusOf("ModelErrorException"), Code: "ModelErrorException", Message: err.Error()}
}

// StatusOf returns the HTTP status that the service's API model gives an exception,
// and 500 for an exception that the model does not have.
func StatusOf(code string) int {
	switch code {
	case "AccessDeniedException":
		return http.StatusForbidden
	case "ConflictException", "ServiceQuotaExceededException", "ValidationException":
		return http.StatusBadRequest
	case "ModelErrorException", "ModelStreamErrorException":
		return http.StatusFailedDependency
	case "ModelNotReadyException", "ThrottlingException":
		return http.StatusTooManyRequests
	case "ModelTimeoutException":
		return http.StatusRequestTimeout
	case "ResourceNotFoundException":
		return http.StatusNotFound
	case "ServiceUnavailableException":
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
