package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	SchemeBearer = "Bearer"
	schemeSigV4  = "AWS4-HMAC-SHA256"
	schemeSigV4a = "AWS4-ECDSA-P256-SHA256"

	ServiceBedrock = "bedrock"
	ServiceSTS     = "sts"

	sigV4Time = "20060102T150405Z"
	terminal  = "aws4_request"

	// maxHeaders bounds the signed headers of a request. SDKs sign about ten.
	maxHeaders = 100
)

// Claim is what a request says about its signer. It is filled in as far as the
// request allows, also where Parse returns an error.
type Claim struct {
	Scheme, AccessKeyID, Region, Service string

	Bearer string    // the token of SchemeBearer
	Signed time.Time // when the request says it was signed
	Hash   string    // the X-Amz-Content-Sha256 header

	scopeDate string // of the credential's scope, YYYYMMDD
	amzDate   string
	headers   []string
	signature []byte
	key       []byte  // the signing key, set by Match
	secret    *Secret // as key
}

// Signature returns the signature of the request.
func (c *Claim) Signature() []byte { return c.signature }

// Parse reads the claim of a request's headers. It judges the form alone. Its error is
// a *wire.Error.
func Parse(r *http.Request) (*Claim, error) {
	c := &Claim{}
	values := r.Header.Values("Authorization")
	switch {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		if presigned(r) {
			return c, incomplete("A signature in the query string is not accepted. Sign the request in its Authorization header.")
		}
		return c, Denied("MissingAuthenticationTokenException", "Missing Authentication Token")
	case len(values) > 1:
		return c, incomplete("The request has more than one Authorization header.")
	case presigned(r):
		return c, incomplete("The request has a signature in its Authorization header and another one in its query string.")
	}
	scheme, rest, _ := strings.Cut(strings.TrimSpace(values[0]), " ")
	c.Scheme = scheme
	if strings.EqualFold(scheme, SchemeBearer) {
		c.Scheme, c.Bearer = SchemeBearer, strings.TrimSpace(rest)
		return c, nil
	}
	if scheme == schemeSigV4a {
		return c, incomplete("The algorithm " + schemeSigV4a + " is not accepted. Sign the request with " + schemeSigV4 + ".")
	}
	if !c.parse(rest) {
		return c, incomplete("Authorization header requires 'Credential', 'Signature' and 'SignedHeaders' parameters and the algorithm " + schemeSigV4 + ".")
	}
	for _, name := range []string{"X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256"} {
		if len(r.Header.Values(name)) > 1 {
			return c, incomplete("The request has more than one " + name + " header.")
		}
	}
	c.Hash = r.Header.Get("X-Amz-Content-Sha256")
	return c, nil
}

// presigned reports whether the query string has a parameter of a signature.
func presigned(r *http.Request) bool {
	_, query, _ := strings.Cut(r.RequestURI, "?")
	for part := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(part, "=")
		switch strings.ToLower(unescape(name)) {
		case "x-amz-signature", "x-amz-credential", "x-amz-algorithm", "x-amz-security-token":
			return true
		}
	}
	return false
}

// parse reads the parameters of the Authorization header, each of which stands there
// once.
func (c *Claim) parse(rest string) bool {
	if c.Scheme != schemeSigV4 {
		return false
	}
	seen := 0
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == "Credential" && c.AccessKeyID == "":
			scope := strings.Split(value, "/")
			if len(scope) != 5 || scope[4] != terminal {
				return false
			}
			c.AccessKeyID, c.scopeDate, c.Region, c.Service = scope[0], scope[1], scope[2], scope[3]
		case name == "SignedHeaders" && c.headers == nil:
			c.headers = strings.Split(value, ";")
		case name == "Signature" && c.signature == nil:
			var err error
			if c.signature, err = hex.DecodeString(value); err != nil {
				return false
			}
		default:
			return false
		}
		seen++
	}
	return seen == 3 && c.AccessKeyID != "" && c.Region != "" && len(c.headers) <= maxHeaders && len(c.signature) == sha256.Size &&
		!slices.ContainsFunc(c.headers, func(name string) bool { return name == "" || name != strings.ToLower(name) })
}
