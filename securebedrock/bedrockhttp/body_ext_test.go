package bedrockhttp_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
)

// chunkSigner signs the chunks of a body, as the specification says.
type chunkSigner struct {
	key            []byte
	amzDate, scope string
	previous       string
}

func newChunkSigner(r *http.Request, key bedrockhttp.Key) *chunkSigner {
	s := &chunkSigner{amzDate: r.Header.Get("X-Amz-Date")}
	parts := []string{s.amzDate[:8], "mars-north-1", "bedrock", "aws4_request"}
	s.scope = strings.Join(parts, "/")
	s.key = []byte("AWS4" + key.SecretAccessKey)
	for _, part := range parts {
		s.key = hmacOf(s.key, part)
	}
	_, s.previous, _ = strings.Cut(r.Header.Get("Authorization"), "Signature=")
	return s
}

func hmacOf(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (s *chunkSigner) sign(algorithm string, hashes ...string) string {
	s.previous = hex.EncodeToString(hmacOf(s.key, strings.Join(append([]string{algorithm, s.amzDate, s.scope, s.previous}, hashes...), "\n")))
	return s.previous
}

// encode cuts a body into chunks of a size.
func (s *chunkSigner) encode(body []byte, size int) []byte {
	var b bytes.Buffer
	for first := true; first || len(body) > 0; first = false {
		n := min(size, len(body))
		fmt.Fprintf(&b, "%x;chunk-signature=%s\r\n%s\r\n", n, s.sign("AWS4-HMAC-SHA256-PAYLOAD", hexSum(nil), hexSum(body[:n])), body[:n])
		body = body[n:]
	}
	fmt.Fprintf(&b, "0;chunk-signature=%s\r\n", s.sign("AWS4-HMAC-SHA256-PAYLOAD", hexSum(nil), hexSum(nil)))
	return b.Bytes()
}

// chunkedRequest is a signed request whose body is in aws-chunked.
func (d *keyedDoor) chunkedRequest(t *testing.T, body, payload string, tamper func([]byte) []byte) *http.Request {
	t.Helper()
	header := http.Header{
		"X-Amz-Content-Sha256":         {payload},
		"Content-Encoding":             {"aws-chunked"},
		"X-Amz-Decoded-Content-Length": {fmt.Sprint(len(body))},
	}
	sum := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE([]byte(body))))
	if payload == sigv4.PayloadChunksTrailer {
		header["X-Amz-Trailer"] = []string{"x-amz-checksum-crc32"}
	}
	r := d.request(t, raw{payload: payload, header: header, tamper: func(r *http.Request) {
		s := newChunkSigner(r, d.key)
		encoded := s.encode([]byte(body), 20)
		if payload == sigv4.PayloadChunksTrailer {
			line := "x-amz-checksum-crc32:" + sum
			encoded = fmt.Appendf(encoded, "%s\r\nx-amz-trailer-signature:%s\r\n", line, s.sign("AWS4-HMAC-SHA256-TRAILER", hexSum([]byte(line+"\n"))))
		}
		encoded = append(encoded, "\r\n"...)
		if tamper != nil {
			encoded = tamper(encoded)
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(encoded)), int64(len(encoded))
	}})
	return r
}

// A body in aws-chunked is decoded and verified, and what differs from the signed chunks
// makes no call.
func TestAwsChunked(t *testing.T) {
	for _, protocol := range []string{"HTTP/1.1", "h2c"} {
		d := newKeyedDoor(t, protocol)
		n := 0
		for _, payload := range []string{sigv4.PayloadChunks, sigv4.PayloadChunksTrailer} {
			for _, row := range []struct {
				name   string
				tamper func([]byte) []byte
				status int
			}{
				{"as it was signed", nil, 200},
				{"another byte", func(b []byte) []byte { return bytes.Replace(b, []byte("Hel"), []byte("HEL"), 1) }, 403},
				{"another size", func(b []byte) []byte { return bytes.Replace(b, []byte("14;"), []byte("13;"), 1) }, 400},
				{"cut", func(b []byte) []byte { return b[:len(b)/2] }, 400},
				{"bytes after the end", func(b []byte) []byte { return append(b, "{}"...) }, 400},
				{"no chunks at all", func([]byte) []byte { return []byte(converseBody) }, 400},
			} {
				n++
				before := len(d.server.Calls())
				body := strings.Replace(converseBody, "Hello", fmt.Sprint("Hello ", n), 1)
				status, code, message := d.send(t, d.chunkedRequest(t, body, payload, row.tamper))
				if status != row.status {
					t.Errorf("%s %s, %s: %d %s %s", protocol, payload, row.name, status, code, message)
				}
				if passed := len(d.server.Calls()) > before; passed != (row.status == 200) {
					t.Errorf("%s %s, %s: the call went on: %v", protocol, payload, row.name, passed)
				}
			}
		}
	}
}

// Chunks of a compressed body are refused of whoever has a key, too.
func TestSignedChunksOfGzip(t *testing.T) {
	d := newKeyedDoor(t, "HTTP/1.1")
	r := d.request(t, raw{payload: sigv4.PayloadChunks, header: http.Header{
		"X-Amz-Content-Sha256": {sigv4.PayloadChunks}, "Content-Encoding": {"gzip,aws-chunked"}, "X-Amz-Decoded-Content-Length": {"0"},
	}})
	if status, code, message := d.send(t, r); status != 400 || !strings.Contains(message, "other than aws-chunked") {
		t.Errorf("%d %s %s", status, code, message)
	}
}

// What a body's headers announce is checked at every door, with a key or without.
func TestBodyHeaders(t *testing.T) {
	d := newKeyedDoor(t, "HTTP/1.1")
	open := serve(t, bedrockhttp.Handler(newClient(t, d.server), bedrockhttp.HandlerOptions{Open: "a test"}), "HTTP/1.1")
	unsigned := &keyedDoor{entry: open, key: d.key, server: d.server}
	chunks := fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(converseBody), converseBody)
	length := fmt.Sprint(len(converseBody))
	for n, row := range []struct {
		name   string
		body   string
		header http.Header
		status int
		says   string
	}{
		{"identity", converseBody, http.Header{"Content-Encoding": {"identity"}}, 200, ""},
		{"chunks", chunks, http.Header{"Content-Encoding": {"aws-chunked"}, "X-Amz-Decoded-Content-Length": {length}}, 200, ""},
		{"chunks that the payload tells", chunks, http.Header{"X-Amz-Content-Sha256": {sigv4.PayloadUnsignedTrailer}, "X-Amz-Decoded-Content-Length": {length}}, 200, ""},
		{"chunks, and an empty coding", chunks, http.Header{"Content-Encoding": {"aws-chunked,"}, "X-Amz-Decoded-Content-Length": {length}}, 200, ""},
		{"chunks, and identity in a second header", chunks, http.Header{"Content-Encoding": {"aws-chunked", "identity"}, "X-Amz-Decoded-Content-Length": {length}}, 200, ""},
		{"gzip", converseBody, http.Header{"Content-Encoding": {"gzip"}}, 400, "Content-Encoding"},
		{"gzip in chunks", chunks, http.Header{"Content-Encoding": {"gzip,aws-chunked"}, "X-Amz-Decoded-Content-Length": {length}}, 400, "Content-Encoding"},
		{"gzip in a second header", converseBody, http.Header{"Content-Encoding": {"identity", "gzip"}}, 400, "Content-Encoding"},
		{"chunks without a length", chunks, http.Header{"Content-Encoding": {"aws-chunked"}}, 400, "X-Amz-Decoded-Content-Length"},
		{"chunks with two lengths", chunks, http.Header{"Content-Encoding": {"aws-chunked"}, "X-Amz-Decoded-Content-Length": {length, length}}, 400, "X-Amz-Decoded-Content-Length"},
		{"chunks with a negative length", chunks, http.Header{"Content-Encoding": {"aws-chunked"}, "X-Amz-Decoded-Content-Length": {"-1"}}, 400, "X-Amz-Decoded-Content-Length"},
		{"chunks of another length", chunks, http.Header{"Content-Encoding": {"aws-chunked"}, "X-Amz-Decoded-Content-Length": {"99"}}, 400, "shorter"},
		{"no chunks", converseBody, http.Header{"Content-Encoding": {"aws-chunked"}, "X-Amz-Decoded-Content-Length": {length}}, 400, "securebedrock"},
		{"a checksum of no known kind", chunks, http.Header{"Content-Encoding": {"aws-chunked"}, "X-Amz-Decoded-Content-Length": {length}, "X-Amz-Trailer": {"x-amz-checksum-md5"}}, 400, "crc32"},
		{"a checksum that is missing", chunks, http.Header{"Content-Encoding": {"aws-chunked"}, "X-Amz-Decoded-Content-Length": {length}, "X-Amz-Trailer": {"x-amz-checksum-crc32"}}, 400, "missing"},
	} {
		status, code, message := unsigned.send(t, unsigned.request(t, raw{body: row.body, header: row.header}))
		if status != row.status || !strings.Contains(message, row.says) {
			t.Errorf("%s, without a key: %d %s %s", row.name, status, code, message)
		}
		// With a key, what nobody has signed is refused, too.
		if strings.Contains(row.header.Get("Content-Encoding"), "aws-chunked") || row.header.Get("X-Amz-Content-Sha256") != "" {
			row.status, row.says = 403, ""
		}
		before := len(d.server.Calls())
		status, code, message = d.send(t, d.request(t, raw{body: row.body, header: row.header, signed: time.Now().Add(time.Duration(n) * time.Second)}))
		if status != row.status || !strings.Contains(message, row.says) || len(d.server.Calls()) > before != (status == 200) {
			t.Errorf("%s, with a key: %d %s %s", row.name, status, code, message)
		}
	}
}
