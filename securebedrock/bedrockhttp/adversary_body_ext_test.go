package bedrockhttp_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"
)

// A body that says what the rules forbid, or what the SDK's types do not know, is
// refused.
func TestAdversaryBody(t *testing.T) {
	const denied, invalid, malformed = "403 AccessDeniedException", "400 ValidationException", "400 SerializationException"
	broken := []string{invalid, malformed}
	// member puts a member in front of a JSON object's others.
	member := func(text string) func(*rawRequest) {
		return func(r *rawRequest) { r.replace("{", "{"+text+",") }
	}
	last := func(text string) func(*rawRequest) {
		return func(r *rawRequest) { r.setBody(strings.TrimSuffix(string(r.body), "}") + "," + text + "}") }
	}
	body := func(text string) func(*rawRequest) {
		return func(r *rawRequest) { r.setBody(text) }
	}
	attacks := []attack{
		{name: "a guardrail of the caller's own", spoil: member(`"guardrailConfig":{"guardrailIdentifier":"other00000","guardrailVersion":"1"}`), want: []string{denied}},
		{name: "another version of the guardrail", spoil: member(`"guardrailConfig":{"guardrailIdentifier":"gr0default000","guardrailVersion":"DRAFT"}`), want: []string{denied}},
		{name: "a guardrail without a trace", spoil: member(`"guardrailConfig":{"guardrailIdentifier":"gr0default000","guardrailVersion":"1","trace":"disabled"}`), want: []string{denied}},
		{name: "an asynchronous guardrail", operation: "ConverseStream", spoil: member(`"guardrailConfig":{"guardrailIdentifier":"gr0default000","guardrailVersion":"1","streamProcessingMode":"async"}`), want: []string{denied}},
		{name: "a guardrail in another case", spoil: member(`"GuardrailConfig":{"guardrailIdentifier":"other00000","guardrailVersion":"1"}`), want: broken},
		{name: "a guardrail whose name is escaped", spoil: member(`"guardrail\u0043onfig":{"guardrailIdentifier":"other00000","guardrailVersion":"1"}`), want: []string{denied, invalid, malformed}},
		{name: "two guardrails, the first the pinned one", spoil: member(`"guardrailConfig":{"guardrailIdentifier":"gr0default000","guardrailVersion":"1"},"guardrailConfig":{"guardrailIdentifier":"other00000","guardrailVersion":"1"}`), want: broken},
		{name: "two identifiers in one guardrail", spoil: member(`"guardrailConfig":{"guardrailIdentifier":"gr0default000","guardrailIdentifier":"other00000","guardrailVersion":"1"}`), want: broken},
		{name: "a guardrail that is null, and one that is not", spoil: member(`"guardrailConfig":null,"guardrailConfig":{"guardrailIdentifier":"other00000","guardrailVersion":"1"}`), want: broken},
		{name: "guardContent that leaves the rest unscanned", spoil: func(r *rawRequest) {
			r.replace(`{"text":`, `{"guardContent":{"text":{"text":"scanned"}}},{"text":`)
		}, want: []string{denied}},
		{name: "another model in the body", spoil: member(`"modelId":"global.` + attackModel + `"`), want: broken},
		{name: "messages twice", spoil: last(`"messages":[{"role":"user","content":[{"text":"other"}]}]`), want: broken},
		{name: "a key twice within a block", spoil: func(r *rawRequest) { r.replace(`{"text":`, `{"text":"first","text":`) }, want: broken},
		{name: "a key twice, once escaped", spoil: func(r *rawRequest) { r.replace(`{"text":`, `{"t\u0065xt":"first","text":`) }, want: broken},
		{name: "two variants in one block", spoil: func(r *rawRequest) { r.replace(`{"text":`, `{"cachePoint":{"type":"default"},"text":`) }, want: broken},
		{name: "an unknown member", spoil: member(`"unguarded":true`), want: broken, says: "unguarded"},
		{name: "an unknown member deep within", spoil: func(r *rawRequest) { r.replace(`{"text":`, `{"hidden":"x","text":`) }, want: broken, says: "hidden"},
		{name: "an unknown block", spoil: func(r *rawRequest) { r.replace(`{"text":`, `{"thought":"x"},{"text":`) }, want: broken},
		{name: "a stream's member on a unary call", spoil: member(`"guardrailConfig":{"guardrailIdentifier":"gr0default000","guardrailVersion":"1","streamProcessingMode":"sync"}`), want: broken},
		{name: "a number for a text", spoil: func(r *rawRequest) { r.replace(`"role":"user"`, `"role":7`) }, want: broken},
		{name: "a text for a list", spoil: func(r *rawRequest) { r.replace(`"messages":[`, `"system":"all","messages":[`) }, want: broken},
		{name: "something behind the body", spoil: func(r *rawRequest) { r.setBody(string(r.body) + `{"guardrailConfig":null}`) }, want: broken},
		{name: "a byte behind the body", spoil: func(r *rawRequest) { r.setBody(string(r.body) + "x") }, want: broken},
		{name: "NUL behind the body", spoil: func(r *rawRequest) { r.setBody(string(r.body) + "\x00") }, want: broken},
		{name: "a byte order mark", spoil: func(r *rawRequest) { r.setBody("\ufeff" + string(r.body)) }, want: broken},
		{name: "UTF-16", spoil: func(r *rawRequest) {
			var b strings.Builder
			for _, c := range r.body {
				b.WriteString(string([]byte{c, 0}))
			}
			r.setBody(b.String())
		}, want: broken},
		{name: "bytes that are not UTF-8", spoil: func(r *rawRequest) { r.replace("The password", "The \xff\xfe password") }, want: broken},
		{name: "half of a surrogate pair", spoil: func(r *rawRequest) { r.replace("The password", `The \ud800 password`) }, want: broken},
		{name: "a comment", spoil: func(r *rawRequest) { r.replace("{", "{/* */") }, want: broken},
		{name: "a comma too many", spoil: func(r *rawRequest) { r.setBody(strings.TrimSuffix(string(r.body), "}") + ",}") }, want: broken},
		{name: "single quotes", spoil: func(r *rawRequest) { r.setBody(strings.ReplaceAll(string(r.body), `"`, `'`)) }, want: broken},
		{name: "NaN", spoil: member(`"inferenceConfig":{"temperature":NaN}`), want: broken},
		{name: "an array for an object", spoil: func(r *rawRequest) { r.setBody("[" + string(r.body) + "]") }, want: broken},
		{name: "no body", spoil: body(""), want: append([]string{denied}, broken...)},
		{name: "an empty array", spoil: body("[]"), want: append([]string{denied}, broken...)},
		{name: "null", spoil: body("null"), want: append([]string{denied}, broken...)},
		{name: "a hundred thousand brackets", spoil: body(strings.Repeat("[", 100_000)), want: broken},
		{name: "a hundred thousand brackets in a document", spoil: member(`"additionalModelRequestFields":` + strings.Repeat("[", 50_000) + strings.Repeat("]", 50_000)), want: append([]string{denied}, broken...)},
		{name: "a hundred thousand members", spoil: func(r *rawRequest) {
			var b strings.Builder
			for i := range 50_000 {
				fmt.Fprintf(&b, `"k%d":1,`, i)
			}
			r.replace("{", "{"+b.String())
		}, want: broken},
		{name: "a form", spoil: func(r *rawRequest) {
			r.set("Content-Type", "application/x-www-form-urlencoded")
			r.setBody("messages=hello")
		}, want: append([]string{"415 ValidationException", "415 UnsupportedMediaTypeException"}, broken...)},
		{name: "a body beyond the bound", spoil: func(r *rawRequest) { r.replace("The password", "The password"+strings.Repeat("x", doorMaxBody)) }, want: []string{"413 RequestEntityTooLargeException", "413 ValidationException"}},
		{name: "chunks beyond the bound", spoil: func(r *rawRequest) { r.replace("The password", "The password"+strings.Repeat("x", doorMaxBody)) }, wire: func(r *rawRequest) []byte { return chunked(r, 8<<10, "") }, want: []string{"413 RequestEntityTooLargeException", "413 ValidationException"}},
		{name: "gzip", spoil: func(r *rawRequest) { r.setBody(zipped(r.body)); r.set("Content-Encoding", "gzip") }, want: append([]string{"415 ValidationException"}, broken...)},
		{name: "gzip that nobody names", spoil: func(r *rawRequest) { r.setBody(zipped(r.body)) }, want: broken},
		{name: "a bomb", spoil: func(r *rawRequest) {
			r.setBody(zipped(bytes.Repeat([]byte(" "), 100<<20)))
			r.set("Content-Encoding", "gzip")
		}, want: append([]string{"415 ValidationException"}, broken...)},

		{name: "InvokeModel with gzip", operation: "InvokeModel", spoil: func(r *rawRequest) { r.setBody(zipped(r.body)); r.set("Content-Encoding", "gzip") }, want: append([]string{"415 ValidationException"}, broken...)},
		{name: "InvokeModel with gzip that nobody names", operation: "InvokeModel", spoil: func(r *rawRequest) { r.setBody(zipped(r.body)) }, want: append([]string{denied}, broken...)},
		{name: "InvokeModel with a byte order mark", operation: "InvokeModel", spoil: func(r *rawRequest) { r.setBody("\ufeff" + string(r.body)) }, want: append([]string{denied}, broken...)},
		{name: "InvokeModel with two bodies", operation: "InvokeModel", spoil: func(r *rawRequest) { r.setBody(string(r.body) + string(r.body)) }, want: append([]string{denied}, broken...)},
		{name: "InvokeModel with a guardrail's switch in the body", operation: "InvokeModel", spoil: member(`"amazon-bedrock-guardrailAction":"NONE","amazon-bedrock-guardrailConfig":{"tagSuffix":"x"}`), want: []string{denied}},
		{name: "InvokeModel without a body", operation: "InvokeModel", spoil: body(""), want: append([]string{denied}, broken...)},
		{name: "InvokeModel of a text", operation: "InvokeModel", spoil: func(r *rawRequest) { r.set("Content-Type", "text/plain") }, want: append([]string{denied, "415 ValidationException", "415 UnsupportedMediaTypeException"}, broken...)},
		{name: "InvokeModel of no type", operation: "InvokeModel", spoil: func(r *rawRequest) { r.set("Content-Type", "") }, want: append([]string{denied, "415 ValidationException", "415 UnsupportedMediaTypeException"}, broken...)},
		{name: "CountTokens with an unknown member", operation: "CountTokens", spoil: member(`"unguarded":true`), want: broken, says: "unguarded"},
		{name: "ApplyGuardrail with an unknown member", operation: "ApplyGuardrail", spoil: member(`"unguarded":true`), want: broken, says: "unguarded"},
		{name: "InvokeGuardrailChecks with an unknown member", operation: "InvokeGuardrailChecks", spoil: member(`"unguarded":true`), want: broken, says: "unguarded"},
		{name: "StartAsyncInvoke with an unknown member", operation: "StartAsyncInvoke", spoil: member(`"unguarded":true`), want: broken, says: "unguarded"},
		{name: "GetAsyncInvoke with a body", operation: "GetAsyncInvoke", spoil: body(`{"unguarded":true}`), want: broken},
		{name: "ListAsyncInvokes with a body", operation: "ListAsyncInvokes", spoil: body(`{"unguarded":true}`), want: broken},
		{name: "ListAsyncInvokes with an unknown parameter", operation: "ListAsyncInvokes", spoil: func(r *rawRequest) { r.target += "?unguarded=true" }, want: broken},
		{name: "ListAsyncInvokes with a parameter twice", operation: "ListAsyncInvokes", spoil: func(r *rawRequest) { r.target += "?maxResults=1&maxResults=2" }, want: broken},
		{name: "chunks of aws-chunked without its name", operation: "InvokeModel", spoil: func(r *rawRequest) {
			r.setBody(fmt.Sprintf("%x;chunk-signature=%s\r\n%s\r\n0;chunk-signature=%s\r\n\r\n", len(r.body), strings.Repeat("0", 64), r.body, strings.Repeat("0", 64)))
		}, want: append([]string{denied}, broken...)},
		{name: "aws-chunked with signatures that are wrong", operation: "InvokeModel", spoil: awsChunked(0, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), want: []string{"403 InvalidSignatureException"}},
		{name: "aws-chunked that nobody signed", operation: "InvokeModel", spoil: awsChunked(0, "STREAMING-UNSIGNED-PAYLOAD-TRAILER"), want: []string{"403 InvalidSignatureException"}},
		{name: "aws-chunked of another length", operation: "InvokeModel", spoil: awsChunked(7, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), want: []string{"403 InvalidSignatureException", invalid, "400 IncompleteBody"}},
		{name: "aws-chunked with a trailer that nobody signed", operation: "InvokeModel", spoil: awsChunked(0, "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"), want: []string{"403 InvalidSignatureException", "403 IncompleteSignatureException"}},
	}
	for _, name := range []string{"GuardrailIdentifier", "GuardrailVersion", "Trace", "Request-Metadata", "PerformanceConfig-Latency", "Service-Tier", "Accept", "Unknown"} {
		for _, operation := range []string{"InvokeModel", "InvokeModelWithResponseStream", "Converse", "ConverseStream"} {
			header, value := "X-Amzn-Bedrock-"+name, "other00000"
			// Members of the input that say nothing of a guardrail pass, once.
			own := strings.HasPrefix(operation, "Invoke") && (name == "PerformanceConfig-Latency" || name == "Service-Tier" || name == "Accept")
			for _, form := range []struct {
				name  string
				spoil func(*rawRequest)
			}{
				{header, func(r *rawRequest) { r.set(header, value) }},
				{strings.ToUpper(header), func(r *rawRequest) { r.add(strings.ToUpper(header), value) }},
				{header + " twice", func(r *rawRequest) { r.add(header, "gr0default000"); r.add(strings.ToLower(header), value) }},
			} {
				if own && !strings.HasSuffix(form.name, "twice") {
					continue
				}
				attacks = append(attacks, attack{name: form.name + " on " + operation, operation: operation, spoil: form.spoil, want: []string{denied, invalid}})
			}
		}
	}
	runAttacks(t, attacks)
}

func zipped(body []byte) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write(body) // a buffer does not fail
	_ = w.Close()
	return b.String()
}

// awsChunked frames the body as aws-chunked, with signatures of zeros and a length that
// is wrong by off.
func awsChunked(off int, payload string) func(*rawRequest) {
	return func(r *rawRequest) {
		zeros := strings.Repeat("0", 64)
		r.set("Content-Encoding", "aws-chunked")
		r.set("X-Amz-Content-Sha256", payload)
		r.set("X-Amz-Decoded-Content-Length", fmt.Sprint(len(r.body)+off))
		r.setBody(fmt.Sprintf("%x;chunk-signature=%s\r\n%s\r\n0;chunk-signature=%s\r\n\r\n", len(r.body), zeros, r.body, zeros))
	}
}
