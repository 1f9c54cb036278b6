// Package sigv4 verifies Signature Version 4 on requests, on the chunks of a body and
// on the frames of a stream. Who has which key is for its caller to say.
package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// MaxSkew is by how much the clock of a signer may differ.
const MaxSkew = 5 * time.Minute

// Payloads that the X-Amz-Content-Sha256 header names in the place of a hash.
const (
	PayloadEvents          = "STREAMING-AWS4-HMAC-SHA256-EVENTS"
	PayloadChunks          = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
	PayloadChunksTrailer   = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
	PayloadUnsigned        = "UNSIGNED-PAYLOAD"
	PayloadUnsignedTrailer = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
)

// CheckScope checks the service, the region and the date of a claim. An empty region
// permits any.
func (c *Claim) CheckScope(r *http.Request, service, region string, now time.Time) error {
	if region != "" && c.Region != region {
		return Invalid(fmt.Sprintf("Credential should be scoped to a valid region, not '%s'. ", c.Region))
	}
	if c.Service != service {
		return Invalid(fmt.Sprintf("Credential should be scoped to correct service: '%s'. ", service))
	}
	c.amzDate = r.Header.Get("X-Amz-Date")
	var err error
	if c.Signed, err = time.Parse(sigV4Time, c.amzDate); err != nil {
		return incomplete("Date must be in ISO-8601 'basic format'.")
	}
	date := c.amzDate[:8]
	if c.scopeDate != date {
		return Invalid(fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s'.", c.scopeDate, date))
	}
	now = now.UTC()
	if c.Signed.Before(now.Add(-MaxSkew)) {
		return Invalid(fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - 5 min.)", c.amzDate, now.Add(-MaxSkew).Format(sigV4Time), now.Format(sigV4Time)))
	}
	if c.Signed.After(now.Add(MaxSkew)) {
		return Invalid(fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 5 min.)", c.amzDate, now.Add(MaxSkew).Format(sigV4Time), now.Format(sigV4Time)))
	}
	return nil
}

// CheckHeaders checks that a claim's signature covers the headers that it must: the
// host, and those of the protocol that the request has.
func (c *Claim) CheckHeaders(r *http.Request) error {
	if !slices.Contains(c.headers, "host") && !slices.Contains(c.headers, ":authority") {
		return Invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	}
	for _, name := range []string{"x-amz-date", "x-amz-security-token"} {
		if _, sent := r.Header[http.CanonicalHeaderKey(name)]; sent && !slices.Contains(c.headers, name) {
			return Invalid("'" + name + "' must be a 'SignedHeader' in the AWS Authorization.")
		}
	}
	return nil
}

// Covers reports whether the signature covers a header. name is in lower case.
func (c *Claim) Covers(name string) bool { return slices.Contains(c.headers, name) }

// Match compares the signature of a request with the one that the secret makes over
// the payload: the hash of a body, or what stands in its place. CheckScope has passed.
func (c *Claim) Match(r *http.Request, secret *Secret, payload string) error {
	sc := scope{c.scopeDate, c.Region, c.Service}
	key, kept := secret.signingKey(sc)
	sum := c.canonical(r, payload)
	b := make([]byte, 0, 256)
	b = append(append(b, schemeSigV4+"\n"...), c.amzDate...)
	b = append(c.appendScope(append(b, '\n')), '\n')
	b = hex.AppendEncode(b, sum[:])
	if !hmac.Equal(mac(key, b), c.signature) {
		return Invalid("The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	if !kept {
		secret.keep(sc, key)
	}
	c.key, c.secret = key, secret
	return nil
}

func (c *Claim) appendScope(b []byte) []byte {
	for _, part := range []string{c.scopeDate, c.Region, c.Service} {
		b = append(append(b, part...), '/')
	}
	return append(b, terminal...)
}

// CheckHash compares the hash that a request claims for its body with the body.
// A request without such a claim passes: its signature covers the hash all the same.
func (c *Claim) CheckHash(body []byte) (hash string, err error) {
	hash = sumHex(body)
	if c.Hash != "" && !strings.EqualFold(c.Hash, hash) {
		return "", Invalid("The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return hash, nil
}

// HashForm reports whether s has the form of a body's hash.
func HashForm(s string) bool {
	_, err := hex.DecodeString(s)
	return err == nil && len(s) == 2*sha256.Size
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

// Verifier verifies the signatures that a service gets, as AWS does, in one region.
type Verifier struct {
	Find   func(accessKeyID string) (Credentials, bool)
	Region string
}

// Verify verifies a request's signature. body is the request's body, nil for an event
// stream. The claim is never nil.
func (v Verifier) Verify(r *http.Request, body []byte, service string, streamed bool) (*Claim, error) {
	c, err := Parse(r)
	if err != nil {
		return c, err
	}
	if c.Scheme == SchemeBearer {
		return c, UnknownBearer()
	}
	now := time.Now()
	found, ok := v.Find(c.AccessKeyID)
	if !ok || found.Token != r.Header.Get("X-Amz-Security-Token") {
		return c, UnknownKey()
	}
	if found.expired(now) {
		return c, ExpiredKey()
	}
	if err := c.CheckScope(r, service, v.Region, now); err != nil {
		return c, err
	}
	if err := c.CheckHeaders(r); err != nil {
		return c, err
	}
	payload := PayloadEvents
	if streamed {
		if c.Hash != PayloadEvents {
			return c, Invalid("The x-amz-content-sha256 header of a signed event stream must be " + PayloadEvents + ".")
		}
	} else if payload, err = c.CheckHash(body); err != nil {
		return c, err
	}
	return c, c.Match(r, NewSecret(found.Secret), payload)
}
