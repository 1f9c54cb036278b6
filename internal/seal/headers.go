package seal

import (
	"net/http"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// sealedHeaderCount is the number of sealedHeaders.
const sealedHeaderCount = 10

// sealedHeaders are those that the serializer alone writes: the guardrail of an
// InvokeModel, the type without which Bedrock cannot apply the guardrail, and what
// else an input says by a header.
func sealedHeaders() [sealedHeaderCount]string {
	return [...]string{
		"X-Amzn-Bedrock-Guardrailidentifier",
		"X-Amzn-Bedrock-Guardrailversion",
		"X-Amzn-Bedrock-Trace",
		"Content-Type",
		"Accept",
		"X-Amzn-Bedrock-Accept",
		"X-Amzn-Bedrock-Content-Type",
		"X-Amzn-Bedrock-Performanceconfig-Latency",
		"X-Amzn-Bedrock-Request-Metadata",
		"X-Amzn-Bedrock-Service-Tier",
	}
}

// IsSealed reports whether a canonical key is the serializer's. Every header of
// Bedrock's own is, so that one which the SDK gains cannot be set from elsewhere.
func IsSealed(key string) bool {
	return strings.HasPrefix(key, "X-Amzn-Bedrock-") || key == "Content-Type" || key == "Accept"
}

// header is a sealed header's value; empty where the serializer wrote none.
func (r *Request) header(key string) string {
	for i, h := range sealedHeaders() {
		if h == key {
			return r.headers[i]
		}
	}
	return ""
}

// checkHeaders demands that each header can be taken in one way only, and that those
// of the serializer's are as the serializer wrote them.
func (r *Request) checkHeaders(req *http.Request) error {
	if err := pinned.CheckFraming(req); err != nil {
		return err
	}
	for key, values := range req.Header {
		if err := pinned.CheckHeader(key, values, headerRule); err != nil {
			return err
		}
		if IsSealed(key) && (headerValue(values) != r.header(key) || headerValue(values) == "") {
			return refusal.New(refusal.GuardrailOverride, "the header "+key+" changed after the rules; a middleware or an interceptor rewrote the request")
		}
	}
	for i, h := range sealedHeaders() {
		if r.headers[i] != "" && headerValue(req.Header[h]) == "" {
			return refusal.New(refusal.GuardrailOverride, "the header "+h+" was taken away after the rules")
		}
	}
	return nil
}

// headerRule is the rule that a header belongs to.
func headerRule(canonical string) error {
	if IsSealed(canonical) {
		return refusal.GuardrailOverride
	}
	return pinned.HeaderRule(canonical)
}

// headerValue is http.Header.Get for a key that is canonical already.
func headerValue(values []string) string {
	if len(values) == 0 {
		return ""
	}
	return values[0]
}
