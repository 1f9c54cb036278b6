// Package sigv4 verifies Signature Version 4 on requests and on the frames of a
// stream. Who has which key is for its caller to say.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

const (
	schemeSigV4    = "AWS4-HMAC-SHA256"
	schemeBearer   = "Bearer"
	ServiceBedrock = "bedrock"
	ServiceSTS     = "sts"

	sigV4Time       = "20060102T150405Z"
	maxSkew         = 5 * time.Minute
	eventsSignature = "STREAMING-AWS4-HMAC-SHA256-EVENTS"
)

// Identity is what a request says about its signer. It is filled in as far as the
// request allows, even if the signature does not match.
type Identity struct {
	Scheme, AccessKeyID, Region, Service string

	secret    string // set only if the request was authenticated
	signature []byte // the seed of a signed stream
}

// Credentials are what verifies the signatures of one access key.
type Credentials struct {
	Secret  string
	Token   string    // of a session; empty: the request must have none
	Expires time.Time // zero: never
}

func (c Credentials) expired(now time.Time) bool {
	return !c.Expires.IsZero() && !now.Before(c.Expires)
}

// Verifier verifies signatures for one region.
type Verifier struct {
	Find   func(accessKeyID string) (Credentials, bool)
	Region string
}

// Verify computes a request's signature anew and compares it. body is the request's
// body, nil for an event stream. The computation follows the specification and does
// not use the SDK's signer: any set of signed headers is accepted, and the SDK's
// signer is checked independently
// (https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html).
func (v Verifier) Verify(r *http.Request, body []byte, service string, streamed bool) (Identity, error) {
	var id Identity
	header := r.Header.Get("Authorization")
	if header == "" {
		return id, denied("MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	scheme, rest, _ := strings.Cut(header, " ")
	id.Scheme = scheme
	if strings.EqualFold(scheme, schemeBearer) {
		id.Scheme = schemeBearer
		return id, denied("AccessDeniedException", "Authentication failed: Please make sure your API Key is valid.")
	}
	auth, ok := parseAuthorization(scheme, rest)
	if !ok {
		return id, denied("IncompleteSignatureException", "Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters and the algorithm "+schemeSigV4+".")
	}
	id.AccessKeyID, id.Region, id.Service = auth.accessKeyID, auth.region, auth.service

	now := time.Now().UTC()
	found, ok := v.Find(auth.accessKeyID)
	if !ok || found.Token != r.Header.Get("X-Amz-Security-Token") {
		return id, denied("UnrecognizedClientException", "The security token included in the request is invalid.")
	}
	if found.expired(now) {
		return id, denied("ExpiredTokenException", "The security token included in the request is expired")
	}
	if err := v.checkScope(auth, service, r.Header.Get("X-Amz-Date"), now); err != nil {
		return id, err
	}
	want, err := auth.sign(r, body, found.Secret, streamed)
	if err != nil {
		return id, err
	}
	if !hmac.Equal(want, auth.signature) {
		return id, denied("InvalidSignatureException", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	id.secret, id.signature = found.Secret, auth.signature
	return id, nil
}

func denied(code, message string) *wire.Error {
	return &wire.Error{Status: http.StatusForbidden, Code: code, Message: message}
}

func (v Verifier) checkScope(auth authorization, service, date string, now time.Time) error {
	invalid := func(format string, args ...any) error {
		return denied("InvalidSignatureException", fmt.Sprintf(format, args...))
	}
	if auth.region != v.Region {
		return invalid("Credential should be scoped to a valid region, not '%s'. ", auth.region)
	}
	if auth.service != service {
		return invalid("Credential should be scoped to correct service: '%s'. ", service)
	}
	signed, err := time.Parse(sigV4Time, date)
	if err != nil {
		return denied("IncompleteSignatureException", "Date must be in ISO-8601 'basic format'.")
	}
	if auth.date != signed.Format("20060102") {
		return invalid("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s'.", auth.date, signed.Format("20060102"))
	}
	if signed.Before(now.Add(-maxSkew)) {
		return invalid("Signature expired: %s is now earlier than %s (%s - 5 min.)", date, now.Add(-maxSkew).Format(sigV4Time), now.Format(sigV4Time))
	}
	if signed.After(now.Add(maxSkew)) {
		return invalid("Signature not yet current: %s is still later than %s (%s + 5 min.)", date, now.Add(maxSkew).Format(sigV4Time), now.Format(sigV4Time))
	}
	return nil
}

// authorization is a parsed Authorization header.
type authorization struct {
	accessKeyID, date, region, service string
	headers                            []string
	signature                          []byte
}

func parseAuthorization(scheme, rest string) (authorization, bool) {
	var a authorization
	if scheme != schemeSigV4 {
		return a, false
	}
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "Credential":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[4] != "aws4_request" {
				return a, false
			}
			a.accessKeyID, a.date, a.region, a.service = scope[0], scope[1], scope[2], scope[3]
		case "SignedHeaders":
			a.headers = strings.Split(value, ";")
		case "Signature":
			var err error
			if a.signature, err = hex.DecodeString(value); err != nil {
				return a, false
			}
		}
	}
	return a, a.accessKeyID != "" && len(a.headers) > 0 && len(a.signature) == sha256.Size
}

// sign returns the signature that the request should have.
func (a authorization) sign(r *http.Request, body []byte, secret string, streamed bool) ([]byte, error) {
	if !slices.Contains(a.headers, "host") && !slices.Contains(a.headers, ":authority") {
		return nil, denied("InvalidSignatureException", "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for name := range r.Header {
		lower := strings.ToLower(name)
		if (lower == "x-amz-date" || lower == "x-amz-security-token") && !slices.Contains(a.headers, lower) {
			return nil, denied("InvalidSignatureException", "'"+lower+"' must be a 'SignedHeader' in the AWS Authorization.")
		}
	}
	sum := sha256.Sum256(body)
	payload := hex.EncodeToString(sum[:])
	claimed := r.Header.Get("X-Amz-Content-Sha256")
	switch {
	case streamed:
		if claimed != eventsSignature {
			return nil, denied("InvalidSignatureException", "The x-amz-content-sha256 header of a signed event stream must be "+eventsSignature+".")
		}
		payload = claimed
	case claimed != "" && claimed != payload:
		return nil, denied("InvalidSignatureException", "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}

	path, query, _ := strings.Cut(r.RequestURI, "?")
	canonical := strings.Join([]string{
		r.Method,
		escape(path, true),
		canonicalQuery(query),
		canonicalHeaders(r, a.headers),
		strings.Join(a.headers, ";"),
		payload,
	}, "\n")
	sum = sha256.Sum256([]byte(canonical))
	toSign := strings.Join([]string{
		schemeSigV4,
		r.Header.Get("X-Amz-Date"),
		strings.Join([]string{a.date, a.region, a.service, "aws4_request"}, "/"),
		hex.EncodeToString(sum[:]),
	}, "\n")
	signing := []byte("AWS4" + secret)
	for _, part := range []string{a.date, a.region, a.service, "aws4_request", toSign} {
		mac := hmac.New(sha256.New, signing)
		mac.Write([]byte(part))
		signing = mac.Sum(nil)
	}
	return signing, nil
}

// canonicalHeaders returns the signed headers with their values, each on a line.
func canonicalHeaders(r *http.Request, names []string) string {
	var b strings.Builder
	for _, name := range names {
		values := slices.Clone(r.Header.Values(name))
		switch {
		case name == "host" || name == ":authority":
			values = []string{r.Host}
		case name == "content-length" && len(values) == 0:
			values = []string{strconv.FormatInt(r.ContentLength, 10)}
		}
		for i, value := range values {
			values[i] = strings.Join(strings.Fields(value), " ")
		}
		b.WriteString(name + ":" + strings.Join(values, ",") + "\n")
	}
	return b.String()
}

// canonicalQuery sorts and escapes the query.
func canonicalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	var pairs []string
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		pairs = append(pairs, escape(unescape(name), false)+"="+escape(unescape(value), false))
	}
	slices.Sort(pairs)
	return strings.Join(pairs, "&")
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// escape escapes all but the unreserved characters of RFC 3986. A path arrives escaped
// and is escaped once more, as every service but S3 requires.
func escape(s string, path bool) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-_.~", c) >= 0, path && c == '/':
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}
