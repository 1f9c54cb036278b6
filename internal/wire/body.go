package wire

import (
	"errors"
	"net/http"

	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/internal/wire/strictjson"
)

// bodyReader calls read with a deserializer of a JSON body. An error is an *Error.
type bodyReader func(body []byte, read func(d smithy.ShapeDeserializer) error) error

// lenient reads as the service does, which skips what it does not know.
func lenient(body []byte, read func(d smithy.ShapeDeserializer) error) error {
	if err := DecodeBody(body, read); err != nil {
		return Malformed(err)
	}
	return nil
}

// strict refuses what the SDK's types do not know.
func strict(body []byte, read func(d smithy.ShapeDeserializer) error) error {
	err := strictjson.Read(body, read)
	if err == nil {
		return nil
	}
	var fault *strictjson.Error
	if !errors.As(err, &fault) {
		return Malformed(err)
	}
	if fault.Syntax {
		return &Error{Status: http.StatusBadRequest, Code: "SerializationException", Message: fault.Error()}
	}
	return Invalid("%s", fault.Error())
}
