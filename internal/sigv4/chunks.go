package sigv4

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"strconv"
	"strings"
)

const (
	chunkAlgorithm   = "AWS4-HMAC-SHA256-PAYLOAD"
	trailerAlgorithm = "AWS4-HMAC-SHA256-TRAILER"
	trailerSignature = "x-amz-trailer-signature"

	maxChunkLine = 4 << 10 // of a chunk's head, and of a trailer
	maxTrailers  = 16
)

// Chunks decodes a body in aws-chunked
// (https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html and
// sigv4-streaming-trailers.html). Its Read returns a chunk's bytes before the chunk's
// signature is known: what has been read is worth nothing until Read returns io.EOF.
type Chunks struct {
	body    *bufio.Reader
	claim   *Claim // nil: signatures are not verified
	length  int64  // of the decoded body
	trailed bool   // the trailers are signed

	checksums map[string]hash.Hash // by the trailer that was announced
	chunk     hash.Hash            // of the chunk that is being read
	left      int64                // bytes of it
	inChunk   bool
	want      []byte // its signature
	previous  []byte // signature
	read      int64
	err       error
}

// ChunkOptions say what the headers of a request announce of its body.
type ChunkOptions struct {
	Claim    *Claim   // has passed Match; nil: no signature is verified
	Length   int64    // of X-Amz-Decoded-Content-Length
	Trailers []string // of X-Amz-Trailer, in lower case
}

// ChunkError is what is wrong with a chunked body. It repeats nothing of the body.
type ChunkError struct {
	What      string
	Signature bool // a signature does not match
}

func (e *ChunkError) Error() string { return e.What }

func errChunk(what string) error {
	return &ChunkError{What: "the body is not in the form of aws-chunked: " + what}
}

func errChunkSignature() error {
	return &ChunkError{What: "the signature of a chunk or of the trailers does not match", Signature: true}
}

// NewChunks decodes a body.
func NewChunks(body io.Reader, o ChunkOptions) (*Chunks, error) {
	c := &Chunks{body: bufio.NewReaderSize(body, maxChunkLine), claim: o.Claim, length: o.Length, checksums: map[string]hash.Hash{}}
	if len(o.Trailers) > maxTrailers {
		return nil, errChunk("there are too many trailers")
	}
	for _, name := range o.Trailers {
		sum := checksum(name)
		if sum == nil {
			return nil, errChunk("a trailer is none of the checksums that are verified, " + strings.Join(checksumNames(), ", "))
		}
		c.checksums[name] = sum
	}
	if o.Claim != nil {
		c.chunk, c.previous = sha256.New(), o.Claim.signature
		c.trailed = o.Claim.Hash == PayloadChunksTrailer
		if !c.trailed && len(o.Trailers) > 0 {
			return nil, errChunk("nobody signs its trailers; X-Amz-Content-Sha256 must be " + PayloadChunksTrailer)
		}
	}
	return c, nil
}

// Complete reports whether the body has been read to its end, and is whole.
func (c *Chunks) Complete() bool { return c.err == io.EOF }

// Read implements io.Reader.
func (c *Chunks) Read(p []byte) (int, error) {
	if c.err != nil || len(p) == 0 {
		return 0, c.err
	}
	n, err := c.next(p)
	if err != nil {
		c.err = err
	}
	return n, err
}

func (c *Chunks) next(p []byte) (int, error) {
	if !c.inChunk {
		if err := c.head(); err != nil {
			return 0, err
		}
		if c.left == 0 {
			return 0, c.end()
		}
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.body.Read(p)
	c.left -= int64(n)
	if c.chunk != nil {
		c.chunk.Write(p[:n])
	}
	for _, sum := range c.checksums {
		sum.Write(p[:n])
	}
	if c.left == 0 {
		if err := c.tail(); err != nil {
			return n, err
		}
		return n, nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// head reads the line before a chunk's bytes.
func (c *Chunks) head() error {
	line, err := c.line()
	if err != nil {
		return err
	}
	size, extension, extended := strings.Cut(line, ";")
	if size == "" || len(size) > 16 || strings.ContainsFunc(size, func(r rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF", r) }) {
		return errChunk("the size of a chunk is not hexadecimal")
	}
	n, err := strconv.ParseInt(size, 16, 64)
	if err != nil || n > c.length-c.read {
		return errChunk("it is longer than X-Amz-Decoded-Content-Length")
	}
	c.want = nil
	if extended {
		value, ok := strings.CutPrefix(extension, "chunk-signature=")
		if c.want, err = hex.DecodeString(value); !ok || err != nil || len(c.want) != sha256.Size {
			return errChunk("a chunk's extension is no chunk-signature")
		}
	}
	if c.claim != nil && c.want == nil {
		return errChunk("a chunk is not signed")
	}
	c.left, c.inChunk = n, true
	c.read += n
	if c.chunk != nil {
		c.chunk.Reset()
	}
	return nil
}

// tail reads what follows a chunk's bytes, and verifies its signature.
func (c *Chunks) tail() error {
	if err := c.blank(); err != nil {
		return err
	}
	c.inChunk = false
	return c.verifyChunk()
}

func (c *Chunks) verifyChunk() error {
	if c.claim == nil {
		return nil
	}
	empty := sha256.Sum256(nil)
	return c.verify(c.want, chunkAlgorithm, empty[:], c.chunk.Sum(nil))
}

// verify compares the next signature of the chain.
func (c *Chunks) verify(want []byte, algorithm string, hashes ...[]byte) error {
	b := append([]byte(algorithm), '\n')
	b = append(append(b, c.claim.amzDate...), '\n')
	b = append(c.claim.appendScope(b), '\n')
	b = hex.AppendEncode(b, c.previous)
	for _, sum := range hashes {
		b = hex.AppendEncode(append(b, '\n'), sum)
	}
	have := mac(c.claim.key, b)
	if !hmac.Equal(have, want) {
		return errChunkSignature()
	}
	c.previous = have
	return nil
}

// end reads what follows the last chunk's head, and returns io.EOF if the body is
// whole.
func (c *Chunks) end() error {
	if err := c.verifyChunk(); err != nil {
		return err
	}
	if c.read != c.length {
		return errChunk("it is shorter than X-Amz-Decoded-Content-Length")
	}
	if err := c.trailers(); err != nil {
		return err
	}
	if _, err := c.body.ReadByte(); !errors.Is(err, io.EOF) {
		if err != nil {
			return err
		}
		return errChunk("bytes follow its end")
	}
	return io.EOF
}

// trailers reads the lines after the last chunk, up to the blank one.
func (c *Chunks) trailers() error {
	var signed bytes.Buffer
	got := map[string]bool{}
	for {
		line, err := c.line()
		if err != nil {
			return err
		}
		if line == "" {
			break
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		if !ok || got[name] {
			return errChunk("a trailer has no form, or stands there twice")
		}
		got[name] = true
		if name == trailerSignature && (c.trailed || c.claim == nil) {
			if err := c.verifyTrailers(value, signed.Bytes()); err != nil {
				return err
			}
			continue
		}
		if got[trailerSignature] {
			return errChunk("a trailer follows the trailers' signature")
		}
		sum := c.checksums[name]
		if sum == nil {
			return errChunk("a trailer was not announced in X-Amz-Trailer")
		}
		if value != encodeSum(sum) {
			return &ChunkError{What: "the checksum of the body does not match"}
		}
		signed.WriteString(name + ":" + value + "\n")
	}
	for name := range c.checksums {
		if !got[name] {
			return errChunk("a trailer of X-Amz-Trailer is missing")
		}
	}
	if c.trailed && !got[trailerSignature] {
		return errChunk("the trailers are not signed")
	}
	return nil
}

func (c *Chunks) verifyTrailers(signature string, trailers []byte) error {
	if c.claim == nil {
		return nil
	}
	want, err := hex.DecodeString(signature)
	if err != nil {
		return errChunkSignature()
	}
	sum := sha256.Sum256(trailers)
	return c.verify(want, trailerAlgorithm, sum[:])
}

// line reads a line that ends in CR LF.
func (c *Chunks) line() (string, error) {
	line, err := c.body.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return "", errChunk("a line is too long")
	case errors.Is(err, io.EOF):
		return "", io.ErrUnexpectedEOF
	case err != nil:
		return "", err
	}
	text, ok := strings.CutSuffix(string(line), "\r\n")
	if !ok || strings.ContainsAny(text, "\r\x00") {
		return "", errChunk("a line does not end in CR LF")
	}
	return text, nil
}

func (c *Chunks) blank() error {
	line, err := c.line()
	if err == nil && line != "" {
		err = errChunk("a chunk is longer than its size")
	}
	return err
}
