package pinned

import (
	"errors"
	"net/http"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// CheckFraming demands that nothing but the header and the one body goes out.
func CheckFraming(req *http.Request) error {
	switch {
	case len(req.Trailer) > 0 || len(req.Header["Trailer"]) > 0:
		return refusal.New(refusal.Endpoint, "the request announces a trailer, which would carry headers past the gate; a step of the SDK's stack or an interceptor put it there")
	case len(req.TransferEncoding) > 0 || len(req.Header["Transfer-Encoding"]) > 0:
		return refusal.New(refusal.Endpoint, "the request has a transfer encoding of its own; a step of the SDK's stack or an interceptor put it there")
	case req.GetBody != nil:
		return refusal.New(refusal.Endpoint, "the request has a GetBody, which could put another body in the approved one's place; a step of the SDK's stack or an interceptor put it there")
	}
	return nil
}

// CheckHeader demands that a header can be taken in one way only. net/http sends a
// key as it stands in the map: a key in another case would go out beside the canonical
// one. rule is the rule that a header belongs to, HeaderRule or a stricter one.
func CheckHeader(key string, values []string, rule func(canonical string) error) error {
	canonical := http.CanonicalHeaderKey(key)
	switch {
	case key != canonical:
		return refusal.New(rule(canonical), "the header "+canonical+" is written in another case and would be sent beside the canonical one; use http.Header.Set")
	case !endToEnd(key, values):
		return refusal.New(refusal.Endpoint, "the header "+key+" would let a server on the way take other headers away, or read the body as something else; a step of the SDK's stack or an interceptor put it there")
	case len(values) > 1 && !errors.Is(rule(key), refusal.Endpoint):
		return refusal.New(rule(key), "the header "+key+" has more than one value; a step of the SDK's stack or an interceptor added one")
	}
	return nil
}

// HeaderRule is the rule that a header belongs to on a request to any service.
func HeaderRule(canonical string) error {
	if canonical == "Authorization" || strings.HasPrefix(canonical, "X-Amz-") {
		return refusal.Auth
	}
	return refusal.Endpoint
}

// endToEnd reports whether a header leaves the others and the body what they are. A
// proxy removes the headers that Connection lists (RFC 9110, section 7.6.1), and
// Content-Encoding tells how to read the body.
func endToEnd(key string, values []string) bool {
	switch key {
	case "Connection", "Proxy-Connection":
		for _, v := range values {
			if !strings.EqualFold(v, "close") && !strings.EqualFold(v, "keep-alive") {
				return false
			}
		}
	case "Upgrade", "Content-Encoding":
		return false
	}
	return true
}
