package strictjson

import (
	"bytes"
	"encoding/base64"
	"errors"
	"math"
	"math/big"
	"strconv"
	"time"

	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"
)

// ReadString implements smithy.ShapeDeserializer. An empty enum is refused: the SDK's
// types have no other form of an absent one, and would leave the member out.
func (r *Reader) ReadString(s *smithy.Schema, v *string) error {
	span, escaped, err := r.stringSpan()
	if err != nil {
		return err
	}
	if len(span) == 0 && s.Type() == smithy.ShapeTypeEnum {
		return r.refuse("is empty: leave the member out")
	}
	*v = r.share(span, escaped)
	return nil
}

// stringSpan reads a string, and reports whether it had escapes. The bytes are the
// body's own, or those of unescape.
func (r *Reader) stringSpan() (span []byte, escaped bool, err error) {
	if r.fault != nil {
		return nil, false, r.fault
	}
	if r.next() != '"' {
		return nil, false, r.mistyped("a string")
	}
	span, escaped, why := r.text()
	if why != "" {
		return nil, false, r.syntax(why)
	}
	if escaped {
		span = r.unescape(span)
	}
	return span, escaped, nil
}

// ReadBlob implements smithy.ShapeDeserializer. encoding/base64 skips line ends, which
// are no base64 of the API's.
func (r *Reader) ReadBlob(_ *smithy.Schema, v *[]byte) error {
	span, _, err := r.stringSpan()
	if err != nil {
		return err
	}
	coding := base64.StdEncoding.Strict()
	blob := make([]byte, coding.DecodedLen(len(span)))
	n, err := coding.Decode(blob, span)
	if err != nil || bytes.ContainsAny(span, "\r\n") {
		return r.mistyped("base64")
	}
	*v = blob[:n]
	return nil
}

// ReadBool implements smithy.ShapeDeserializer.
func (r *Reader) ReadBool(_ *smithy.Schema, v *bool) error {
	switch {
	case r.fault != nil:
		return r.fault
	case r.word("true"):
		*v = true
	case r.word("false"):
		*v = false
	default:
		return r.mistyped("true or false")
	}
	return nil
}

// numberSpan reads the text of a number.
func (r *Reader) numberSpan() ([]byte, error) {
	if r.fault != nil {
		return nil, r.fault
	}
	if c := r.next(); c != '-' && (c < '0' || c > '9') {
		return nil, r.mistyped("a number")
	}
	span, why := r.number()
	if why != "" {
		return nil, r.syntax(why)
	}
	return span, nil
}

func (r *Reader) integer(bits int) (int64, error) {
	span, err := r.numberSpan()
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseInt(string(span), 10, bits)
	if err != nil {
		return 0, r.mistyped("an integer of " + strconv.Itoa(bits) + " bits")
	}
	return n, nil
}

// ReadInt8 implements smithy.ShapeDeserializer.
func (r *Reader) ReadInt8(_ *smithy.Schema, v *int8) error {
	n, err := r.integer(8)
	*v = int8(n)
	return err
}

// ReadInt16 implements smithy.ShapeDeserializer.
func (r *Reader) ReadInt16(_ *smithy.Schema, v *int16) error {
	n, err := r.integer(16)
	*v = int16(n)
	return err
}

// ReadInt32 implements smithy.ShapeDeserializer.
func (r *Reader) ReadInt32(_ *smithy.Schema, v *int32) error {
	n, err := r.integer(32)
	*v = int32(n)
	return err
}

// ReadInt64 implements smithy.ShapeDeserializer.
func (r *Reader) ReadInt64(_ *smithy.Schema, v *int64) error {
	n, err := r.integer(64)
	*v = n
	return err
}

// float reads a number, or one of the three values that Smithy writes as strings.
func (r *Reader) float(bits int) (float64, error) {
	if r.fault == nil && r.next() == '"' {
		span, _, err := r.stringSpan()
		if err != nil {
			return 0, err
		}
		switch string(span) {
		case "NaN":
			return math.NaN(), nil
		case "Infinity":
			return math.Inf(1), nil
		case "-Infinity":
			return math.Inf(-1), nil
		}
		return 0, r.mistyped("a number")
	}
	span, err := r.numberSpan()
	if err != nil {
		return 0, err
	}
	x, err := strconv.ParseFloat(string(span), bits)
	if err != nil {
		return 0, r.mistyped("a floating-point number of " + strconv.Itoa(bits) + " bits")
	}
	return x, nil
}

// ReadFloat32 implements smithy.ShapeDeserializer.
func (r *Reader) ReadFloat32(_ *smithy.Schema, v *float32) error {
	x, err := r.float(32)
	*v = float32(x)
	return err
}

// ReadFloat64 implements smithy.ShapeDeserializer.
func (r *Reader) ReadFloat64(_ *smithy.Schema, v *float64) error {
	x, err := r.float(64)
	*v = x
	return err
}

// Document is the JSON of a document, as it stands in the request. encoding/json would
// keep neither the order of keys nor the text of numbers.
type Document []byte

// MarshalJSON implements json.Marshaler.
func (d Document) MarshalJSON() ([]byte, error) { return d, nil }

// ReadDocument implements smithy.ShapeDeserializer. It gives a document.Opaque with a
// Document.
func (r *Reader) ReadDocument(s *smithy.Schema, v *document.Value) error {
	if r.fault != nil {
		return r.fault
	}
	if s.Type() != smithy.ShapeTypeDocument {
		return r.refuse("is a member that this release does not read: remove the member")
	}
	r.next()
	start := r.i
	if why := r.value(len(r.frames) + 1); why != "" {
		if why == noJSON {
			return r.syntax(why)
		}
		return r.refuse(why)
	}
	*v = document.Opaque{Value: Document(bytes.Clone(r.b[start:r.i]))}
	return nil
}

var errNoType = errors.New("no request of the API has a value of this type")

// ReadTime implements smithy.ShapeDeserializer.
func (r *Reader) ReadTime(*smithy.Schema, *time.Time) error { return errNoType }

// ReadBigInt implements smithy.ShapeDeserializer.
func (r *Reader) ReadBigInt(*smithy.Schema, *big.Int) error { return errNoType }

// ReadBigFloat implements smithy.ShapeDeserializer.
func (r *Reader) ReadBigFloat(*smithy.Schema, *big.Float) error { return errNoType }
