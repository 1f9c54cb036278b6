package bedrockhttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// claim is what the headers of a request say about its caller. What can be checked
// without the body has been checked.
type claim struct {
	keys   *Keys
	entry  *entry
	signed *sigv4.Claim // nil: a bearer token, of which nothing is left to check

	chunks *chunkReader // of a body in aws-chunked
}

// claim checks a request's headers, before its body is read. Its error is a
// *wire.Error.
func (k *Keys) claim(r *http.Request) (*claim, error) {
	c, err := k.claimed(r)
	if err != nil {
		return nil, explained(err)
	}
	return c, nil
}

func (k *Keys) claimed(r *http.Request) (*claim, error) {
	signed, err := sigv4.Parse(r)
	if err != nil {
		return nil, err
	}
	if _, foreign := r.Header["X-Amz-Security-Token"]; foreign {
		return nil, sigv4.Denied("UnrecognizedClientException", "The request has a session token (X-Amz-Security-Token), and no key of this server has one: other credentials are mixed in.")
	}
	set, now := k.set.Load(), k.clock()
	if signed.Scheme == sigv4.SchemeBearer {
		e := set.findBearer(signed.Bearer)
		if e == nil {
			return nil, sigv4.UnknownBearer()
		}
		if e.expired(now) {
			return nil, sigv4.ExpiredKey()
		}
		return &claim{keys: k, entry: e}, nil
	}
	e := set.find(signed.AccessKeyID)
	if e == nil {
		return nil, sigv4.UnknownKey()
	}
	if e.expired(now) {
		return nil, sigv4.ExpiredKey()
	}
	// The caller may sign for any region. The Client calls its own.
	if err := signed.CheckScope(r, sigv4.ServiceBedrock, "", now); err != nil {
		return nil, withSkew(err, now.Sub(signed.Signed))
	}
	if err := signed.CheckHeaders(r); err != nil {
		return nil, err
	}
	if err := covered(r, signed); err != nil {
		return nil, err
	}
	c := &claim{keys: k, entry: e, signed: signed}
	if err := c.matchEarly(r); err != nil {
		return nil, err
	}
	if e.since.Sub(signed.Signed) > sameSecond {
		return nil, sigv4.Invalid("The request was signed before this server got the key, and may have been used before.")
	}
	if !k.seen.check(e.AccessKeyID, signed.Signature(), signed.Signed, now) {
		return nil, replayed()
	}
	return c, nil
}

// matchEarly compares the signature where the headers say what the payload is. The
// signature of another request needs the body.
func (c *claim) matchEarly(r *http.Request) error {
	switch hash := c.signed.Hash; {
	case hash == "":
		if chunked(r) {
			return sigv4.Invalid("A body in aws-chunked needs an X-Amz-Content-Sha256 header, such as " + sigv4.PayloadChunks + ".")
		}
		return nil
	case hash == sigv4.PayloadUnsigned, hash == sigv4.PayloadUnsignedTrailer:
		return sigv4.Invalid("The payload " + hash + " is not accepted: nobody has signed the body, and another could stand in its place. Sign the payload (payload_signing_enabled = true, or applyChecksum in JavaScript).")
	case hash == sigv4.PayloadEvents, hash == sigv4.PayloadChunks, hash == sigv4.PayloadChunksTrailer, sigv4.HashForm(hash):
		return c.signed.Match(r, c.entry.secret, hash)
	}
	return sigv4.Invalid("The x-amz-content-sha256 header is neither the SHA-256 of the body nor a kind of signed payload that this server knows.")
}

// covered checks that the signature covers every header of AWS's, save two that decide
// nothing. X-Amzn-Trace-Id is added on the way and signed by no SDK; X-Amz-User-Agent is
// not signed by every SDK. The content type is not asked for: the AI SDK does not sign
// it, and a body of another type than JSON is refused.
func covered(r *http.Request, signed *sigv4.Claim) error {
	for name := range r.Header {
		if len(name) < 5 || !strings.EqualFold(name[:5], "x-amz") || name == "X-Amzn-Trace-Id" || name == "X-Amz-User-Agent" {
			continue
		}
		if lower := strings.ToLower(name); !signed.Covers(lower) {
			return sigv4.Invalid("A header that begins with x-amz is not signed: all of them must be SignedHeaders in the AWS Authorization.")
		}
	}
	return nil
}

// body returns the request's body without the framing of aws-chunked, whose signatures
// are verified on the way. The body is not to be used before it has been read to its
// end without an error.
func (c *claim) body(r *http.Request) (io.Reader, error) {
	if c.signed == nil || c.signed.Hash != sigv4.PayloadChunks && c.signed.Hash != sigv4.PayloadChunksTrailer {
		return bodyReader(r)
	}
	chunks, err := chunksOf(r, c.signed)
	if err != nil {
		return nil, err
	}
	c.chunks = chunks
	return chunks, nil
}

// verify checks the body against the claim, and returns the caller. A bidirectional
// request has a nil body: its frames are verified one by one. The error is a
// *wire.Error.
func (c *claim) verify(r *http.Request, body []byte) (Caller, error) {
	e, err := c.verified(r, body)
	if err != nil {
		return Caller{}, explained(err)
	}
	return Caller{Name: e.Name, Models: slices.Clone(e.Models)}, nil
}

// verified returns the entry that the key has now: what its Models say may have become
// less while the body was on its way.
func (c *claim) verified(r *http.Request, body []byte) (*entry, error) {
	if c.signed != nil {
		if err := c.matchBody(r, body); err != nil {
			return nil, err
		}
	}
	// The body may have taken its time.
	now, e := c.keys.clock(), c.keys.current(c.entry)
	switch {
	case c.entry.expired(now), e != nil && e.expired(now):
		return nil, sigv4.ExpiredKey()
	case e == nil:
		return nil, sigv4.UnknownKey()
	case c.signed != nil && !c.keys.seen.note(c.entry.AccessKeyID, c.signed.Signature(), c.signed.Signed, now):
		return nil, replayed()
	}
	return e, nil
}

// matchBody checks what the signature covers beside the headers.
func (c *claim) matchBody(r *http.Request, body []byte) error {
	switch hash := c.signed.Hash; {
	case (body == nil) != (hash == sigv4.PayloadEvents):
		return sigv4.Invalid("The x-amz-content-sha256 header must be " + sigv4.PayloadEvents + " for " + wire.Bidirectional + ", and for no other operation.")
	case hash == sigv4.PayloadEvents:
		return nil
	case hash == sigv4.PayloadChunks, hash == sigv4.PayloadChunksTrailer:
		if c.chunks == nil || !c.chunks.Complete() {
			return sigv4.Invalid("The body has no signed end.")
		}
		return nil
	case hash != "":
		_, err := c.signed.CheckHash(body)
		return err
	}
	hash, err := c.signed.CheckHash(body)
	if err != nil {
		return err
	}
	return c.signed.Match(r, c.entry.secret, hash)
}

// frames returns the frames of a bidirectional request, each of which is verified. It
// returns nil for a bearer token, with which nobody signs a frame, and for a request
// that needs no key.
func (c *claim) frames(body io.Reader) *sigv4.Frames {
	if c == nil || c.signed == nil {
		return nil
	}
	return sigv4.NewFrames(body, c.signed)
}

func replayed() error {
	return sigv4.Invalid("The signature was used before, or is too old for this server to tell. Sign each request anew.")
}

// withSkew adds by how much the caller's clock is wrong, where that is the fault. SDKs
// correct their clock by the Date header of the answer.
func withSkew(err error, behind time.Duration) error {
	var e *wire.Error
	if !errors.As(err, &e) || behind.Abs() <= sigv4.MaxSkew || behind.Abs() > 100*365*24*time.Hour {
		return err
	}
	direction := "behind"
	if behind < 0 {
		direction = "ahead of"
	}
	told := *e
	told.Message += fmt.Sprintf(" securebedrock: the request's date is %v %s this server's clock; set the caller's clock", behind.Abs().Round(time.Second), direction)
	return &told
}

// explained adds to AWS's own words what to do here.
func explained(err error) error {
	var e *wire.Error
	if !errors.As(err, &e) {
		return err
	}
	var remedy string
	switch e.Code {
	case "MissingAuthenticationTokenException":
		remedy = "this server takes requests with a key of its own alone; set AWS_SHARED_CREDENTIALS_FILE to the file with its keys, or AWS_BEARER_TOKEN_BEDROCK to the bearer token of one"
	case "UnrecognizedClientException":
		remedy = "this server knows keys of its own alone, and none of AWS's; set AWS_SHARED_CREDENTIALS_FILE to the file with its keys, and unset AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, which come first"
	case "AccessDeniedException":
		remedy = "this server knows bearer tokens of its own alone, and none of AWS's; set AWS_BEARER_TOKEN_BEDROCK to the bearer token of one of its keys, or unset AWS_BEARER_TOKEN_BEDROCK to sign with AWS_SHARED_CREDENTIALS_FILE"
	case "ExpiredTokenException":
		remedy = "the key of this server has ended; get another one from who runs the server"
	default:
		return err
	}
	told := *e
	told.Message = strings.TrimRight(e.Message, ". ") + ". securebedrock: " + remedy
	return &told
}
