package bedrockhttp

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// bodyReader returns the request's body without the framing of aws-chunked. It
// verifies no chunk's signature: Handler reads the body through its claim. The error,
// and those of the reader, are *wire.Error, save what the connection has.
func bodyReader(r *http.Request) (io.Reader, error) {
	if err := checkEncoding(r); err != nil {
		return nil, err
	}
	if chunked(r) {
		return chunksOf(r, nil)
	}
	if r.Body == nil {
		return http.NoBody, nil
	}
	return r.Body, nil
}

// checkEncoding refuses a body that is encoded otherwise than in aws-chunked.
func checkEncoding(r *http.Request) error {
	if !wire.PlainEncoding(r.Header.Values("Content-Encoding")) {
		return wire.Invalid("securebedrock: the body has a Content-Encoding other than aws-chunked; send the body as it is (AWS_DISABLE_REQUEST_COMPRESSION=true)")
	}
	return nil
}

const awsChunked = "aws-chunked"

// chunked reports whether a request's body is in aws-chunked. The payloads of that
// form tell it too.
func chunked(r *http.Request) bool {
	switch r.Header.Get("X-Amz-Content-Sha256") {
	case sigv4.PayloadChunks, sigv4.PayloadChunksTrailer, sigv4.PayloadUnsignedTrailer:
		return true
	}
	for _, value := range r.Header.Values("Content-Encoding") {
		for encoding := range strings.SplitSeq(value, ",") {
			if strings.EqualFold(strings.TrimSpace(encoding), awsChunked) {
				return true
			}
		}
	}
	return false
}

// chunksOf decodes a body in aws-chunked. signed is nil where nobody verifies the
// signatures.
func chunksOf(r *http.Request, signed *sigv4.Claim) (*chunkReader, error) {
	if err := checkEncoding(r); err != nil {
		return nil, err
	}
	lengths := r.Header.Values("X-Amz-Decoded-Content-Length")
	if len(lengths) != 1 {
		return nil, wire.Invalid("securebedrock: a body in aws-chunked needs one X-Amz-Decoded-Content-Length header")
	}
	length, err := strconv.ParseUint(lengths[0], 10, 63)
	if err != nil {
		return nil, wire.Invalid("securebedrock: X-Amz-Decoded-Content-Length is no length")
	}
	var trailers []string
	for _, value := range r.Header.Values("X-Amz-Trailer") {
		for name := range strings.SplitSeq(value, ",") {
			if name = strings.ToLower(strings.TrimSpace(name)); name != "" {
				trailers = append(trailers, name)
			}
		}
	}
	body := io.Reader(http.NoBody)
	if r.Body != nil {
		body = r.Body
	}
	chunks, err := sigv4.NewChunks(body, sigv4.ChunkOptions{Claim: signed, Length: int64(length), Trailers: trailers})
	if err != nil {
		return nil, wire.Invalid("securebedrock: %v", err)
	}
	return &chunkReader{chunks}, nil
}

// chunkReader tells the faults of a chunked body as the service would.
type chunkReader struct{ *sigv4.Chunks }

// Read implements io.Reader.
func (c *chunkReader) Read(p []byte) (int, error) {
	n, err := c.Chunks.Read(p)
	var fault *sigv4.ChunkError
	if errors.As(err, &fault) {
		if fault.Signature {
			return n, sigv4.Invalid("securebedrock: " + fault.What)
		}
		return n, wire.Invalid("securebedrock: %s", fault.What)
	}
	return n, err
}
