package clients_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// volatile are the header fields whose values differ from run to run, or from machine to
// machine. Their names are in a shape, their values are not.
var volatile = []string{
	":authority", "amz-sdk-invocation-id", "authorization", "host", "user-agent", "x-amz-content-sha256",
	"x-amz-date", "x-amz-user-agent", "x-amzn-trace-id", "x-stainless-arch",
	"x-stainless-os", "x-stainless-runtime-version", "traceparent", "date", "x-amz-security-token",
	"content-length", "idempotency-key",
}

// uuid is the form of a client token.
var uuid = regexp.MustCompile(`[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}`)

var scope = regexp.MustCompile(`Credential=[^/]+/[0-9]{8}/([^/]+/[^/]+)/aws4_request`)

// shape writes what a client sent, without secrets and without what differs between runs.
func (s *sent) shape() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s %s %s\n", s.Method, s.Target, s.Proto)
	var fields []string
	for _, f := range s.Header {
		if f.name == ":method" || f.name == ":path" { // in the first line
			continue
		}
		value := f.value
		if slices.Contains(volatile, strings.ToLower(f.name)) {
			value = "…"
		}
		fields = append(fields, f.name+": "+value)
	}
	// Node.js and Go write the fields in orders of their own.
	slices.SortFunc(fields, func(a, b string) int {
		return strings.Compare(strings.ToLower(a), strings.ToLower(b))
	})
	for _, f := range fields {
		fmt.Fprintf(&out, "%s\n", f)
	}
	authorization := s.get("authorization")
	scheme, _, _ := strings.Cut(authorization, " ")
	fmt.Fprintf(&out, "# scheme: %s\n", scheme)
	if m := scope.FindStringSubmatch(authorization); m != nil {
		fmt.Fprintf(&out, "# scope: %s\n", m[1])
	}
	if _, rest, ok := strings.Cut(authorization, "SignedHeaders="); ok {
		names, _, _ := strings.Cut(rest, ",")
		fmt.Fprintf(&out, "# signed headers: %s\n", names)
	}
	if payload := s.get("x-amz-content-sha256"); payload != "" {
		if len(payload) == 64 {
			payload = "SHA-256 of the body"
		}
		fmt.Fprintf(&out, "# x-amz-content-sha256: %s\n", payload)
	}
	if length := s.get("content-length"); length != "" && length != fmt.Sprint(len(s.Body)) {
		fmt.Fprintf(&out, "# content-length differs from the body's\n")
	}
	out.WriteByte('\n')
	switch {
	case len(s.Body) == 0:
	case json.Valid(s.Body):
		var pretty bytes.Buffer
		_ = json.Indent(&pretty, s.Body, "", "  ")
		fmt.Fprintf(&out, "%s\n", uuid.ReplaceAll(pretty.Bytes(), []byte("…")))
	default:
		fmt.Fprintf(&out, "# %s\n", frames(s.Body))
	}
	return out.String()
}
