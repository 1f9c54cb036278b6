package seal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"slices"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Form is how an operation's input becomes a request.
type Form struct {
	Serialize func(context.Context, *smithy.OperationSchema, smithy.Serializable, *smithyhttp.Request) error
	Schema    *smithy.OperationSchema
	Clone     func(in any) (any, bool)
	Token     func(in any) **string // the idempotency token that the SDK writes; nil where there is none
}

// Fingerprint is the input that the chain's innermost Handler was given. A step of the
// SDK's stack between the chain and the rules cannot change what was recorded, booked
// and checked. A Fingerprint is taken only where the application has such steps.
type Fingerprint struct {
	form    Form
	sum     [sha256.Size]byte
	noToken bool // the SDK will write an idempotency token
}

// Take returns the fingerprint of an input.
func Take(ctx context.Context, form Form, in any) *Fingerprint {
	f := &Fingerprint{form: form}
	if form.Token != nil {
		field := form.Token(in)
		f.noToken = field != nil && *field == nil
	}
	f.sum = f.of(ctx, in)
	return f
}

// Unchanged refuses an input that differs from the one that the chain passed on. On a
// nil Fingerprint it accepts any.
func (f *Fingerprint) Unchanged(ctx context.Context, in any) error {
	if f == nil {
		return nil
	}
	if f.noToken {
		in, _ = f.form.Clone(in)
		*f.form.Token(in) = nil
	}
	if f.of(ctx, in) != f.sum {
		return refusal.New(refusal.Endpoint, "the input changed after Options.Middleware had seen it; a step of the SDK's stack or an interceptor rewrote it, which belongs into a Middleware")
	}
	return nil
}

// of is a digest of the request that the input would make. What cannot be
// serialized has the digest of its error, and is refused by the SDK later.
func (f *Fingerprint) of(ctx context.Context, in any) (sum [sha256.Size]byte) {
	h := sha256.New()
	req, _ := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	own, ok := in.(smithy.Serializable)
	if !ok {
		fmt.Fprintf(h, "%T", in)
	} else if err := f.form.Serialize(ctx, f.form.Schema, own, req); err != nil {
		fmt.Fprint(h, err)
	} else {
		writePart(h, []byte(req.Method), []byte(req.URL.EscapedPath()), []byte(req.URL.RawQuery))
		for _, key := range slices.Sorted(maps.Keys(req.Header)) {
			writePart(h, []byte(key))
			for _, value := range req.Header[key] {
				writePart(h, []byte(value))
			}
		}
		if body, ok := req.GetStream().(*bytes.Reader); ok {
			writePart(h, canonicalJSON(new(catcher).unread(body)))
		}
	}
	h.Sum(sum[:0])
	return sum
}

// writePart writes texts so that none can be taken for another's end.
func writePart(h hash.Hash, texts ...[]byte) {
	for _, text := range texts {
		fmt.Fprintf(h, "%d:", len(text))
		h.Write(text)
	}
}

// canonicalJSON sorts the keys of JSON, which the SDK writes in a map's order. Any
// other body is its own form.
func canonicalJSON(body []byte) []byte {
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil || dec.InputOffset() != int64(len(bytes.TrimRight(body, " \t\r\n"))) {
		return body
	}
	sorted, err := json.Marshal(v)
	if err != nil {
		return body
	}
	return sorted
}
