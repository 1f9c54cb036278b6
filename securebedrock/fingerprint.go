package securebedrock

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
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
)

// fingerprint is what the chain's innermost Handler was given, so that a step of
// the SDK's stack between the chain and the rules cannot change what was recorded,
// booked and checked. It is taken only where the application has such steps.
type fingerprint struct {
	op       *operation
	protocol *restjson1.Protocol
	sum      [sha256.Size]byte
	noToken  bool // the SDK will write an idempotency token
}

func (g *guard) fingerprint(ctx context.Context, op *operation, in any) *fingerprint {
	f := &fingerprint{op: op, protocol: g.events.Protocol}
	if op.token != nil {
		field := op.token(in)
		f.noToken = field != nil && *field == nil
	}
	f.sum = f.of(ctx, in)
	return f
}

// unchanged refuses an input that differs from the one that the chain passed on.
// It may be called on nil.
func (f *fingerprint) unchanged(ctx context.Context, in any) error {
	if f == nil {
		return nil
	}
	if f.noToken {
		in, _ = f.op.clone(in)
		*f.op.token(in) = nil
	}
	if f.of(ctx, in) != f.sum {
		return refuse(ErrEndpoint, "the input changed after Options.Middleware had seen it; a step of the SDK's stack or an interceptor rewrote it, which belongs into a Middleware")
	}
	return nil
}

// of is a digest of the request that the input would make. What cannot be
// serialized has the digest of its error, and is refused by the SDK later.
func (f *fingerprint) of(ctx context.Context, in any) (sum [sha256.Size]byte) {
	h := sha256.New()
	req, _ := smithyhttp.NewStackRequest().(*smithyhttp.Request)
	own, ok := in.(smithy.Serializable)
	if !ok {
		fmt.Fprintf(h, "%T", in)
	} else if err := f.protocol.SerializeRequest(ctx, f.op.schema, own, req); err != nil {
		fmt.Fprint(h, err)
	} else {
		part(h, []byte(req.Method), []byte(req.URL.EscapedPath()), []byte(req.URL.RawQuery))
		for _, key := range slices.Sorted(maps.Keys(req.Header)) {
			part(h, []byte(key))
			for _, value := range req.Header[key] {
				part(h, []byte(value))
			}
		}
		if body, ok := req.GetStream().(*bytes.Reader); ok {
			part(h, canonical(content(body)))
		}
	}
	h.Sum(sum[:0])
	return sum
}

// part writes texts so that none can be taken for another's end.
func part(h hash.Hash, texts ...[]byte) {
	for _, text := range texts {
		fmt.Fprintf(h, "%d:", len(text))
		h.Write(text)
	}
}

// canonical sorts the keys of JSON, which the SDK writes in a map's order. What is
// no JSON is its own form.
func canonical(body []byte) []byte {
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
