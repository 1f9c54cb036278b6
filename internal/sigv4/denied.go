package sigv4

import (
	"net/http"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// Denied is the answer to a request whose signer is not known.
func Denied(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusForbidden, Code: code, Message: message}
}

// UnknownKey is the answer to an access key that nobody has, in AWS's words.
func UnknownKey() *wire.Error {
	return Denied("UnrecognizedClientException", "The security token included in the request is invalid.")
}

// UnknownBearer is the answer to a bearer token that nobody has, in AWS's words.
func UnknownBearer() *wire.Error {
	return Denied("AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.")
}

// ExpiredKey is the answer to a key that has ended, in AWS's words.
func ExpiredKey() *wire.Error {
	return Denied("ExpiredTokenException", "The security token included in the request is expired")
}

// Invalid is the answer to a signature that does not hold.
func Invalid(message string) *wire.Error { return Denied("InvalidSignatureException", message) }

func incomplete(message string) *wire.Error { return Denied("IncompleteSignatureException", message) }
