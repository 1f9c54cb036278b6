package bedrocktest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
)

// apiError is an error of the service, as it goes over the wire.
type apiError struct {
	status  int
	code    string
	message string
}

func (e *apiError) Error() string { return e.code + ": " + e.message }

func (e *apiError) body() []byte {
	// A map of strings always encodes.
	body, _ := json.Marshal(map[string]string{"message": e.message})
	return body
}

func invalid(format string, args ...any) *apiError {
	return &apiError{status: http.StatusBadRequest, code: "ValidationException", message: fmt.Sprintf(format, args...)}
}

// malformed is the answer to a request that does not decode. The decoder's error
// quotes the request, whose values no message repeats: the rest of it is told.
func malformed(err error) *apiError {
	message := "The request does not deserialize: a value is malformed or of another type than the API's."
	if _, why, ok := strings.Cut(err.Error(), "deserialization failed, "); ok && strings.HasPrefix(why, "union ") {
		why, _, _ = strings.Cut(why, ":")
		message = "The request does not deserialize: " + why
	}
	return &apiError{status: http.StatusBadRequest, code: "SerializationException", message: message}
}

// exceptionError turns an exception's name, as a stream has it, into the error
// that a response would have instead.
func exceptionError(name, message string) *apiError {
	code := name
	if name != "" {
		code = strings.ToUpper(name[:1]) + name[1:]
	}
	return &apiError{status: statusOf(code), code: code, message: message}
}

// errorOf turns the error of a Reply function into one of the service. An
// error of the SDK's types keeps its code; any other is the model's.
func errorOf(err error) *apiError {
	var api smithy.APIError
	if errors.As(err, &api) {
		return &apiError{status: statusOf(api.ErrorCode()), code: api.ErrorCode(), message: api.ErrorMessage()}
	}
	return &apiError{status: statusOf("ModelErrorException"), code: "ModelErrorException", message: err.Error()}
}

// statusOf is the status of an exception in the service's API model.
func statusOf(code string) int {
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
