package bedrockhttp_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// The frame types and flags of HTTP/2 (RFC 9113, section 6).
const (
	h2Data, h2Headers, h2Reset, h2Settings, h2Ping, h2GoAway, h2Window, h2Continuation = 0, 1, 3, 4, 6, 7, 8, 9

	h2EndStream, h2EndHeaders, h2Ack = 1, 4, 1
)

// rawHTTP2 is an HTTP/2 connection without TLS whose frames the test makes itself.
type rawHTTP2 struct{ net.Conn }

func dialHTTP2(t testing.TB, d *attackDoor) rawHTTP2 {
	t.Helper()
	c := rawHTTP2{d.dial(t)}
	if _, err := io.WriteString(c, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if err := c.frame(h2Settings, 0, 0, nil); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c rawHTTP2) frame(kind, flags byte, stream uint32, payload []byte) error {
	head := []byte{byte(len(payload) >> 16), byte(len(payload) >> 8), byte(len(payload)), kind, flags}
	_, err := c.Write(append(binary.BigEndian.AppendUint32(head, stream), payload...))
	return err
}

// request sends the headers and the body of a request in one frame each.
func (c rawHTTP2) request(stream uint32, fields [][2]string, body []byte) error {
	flags := byte(h2EndHeaders)
	if body == nil {
		flags |= h2EndStream
	}
	if err := c.frame(h2Headers, flags, stream, hpack(fields)); err != nil || body == nil {
		return err
	}
	return c.frame(h2Data, h2EndStream, stream, body)
}

// hpack encodes header fields as literals that no table keeps (RFC 7541, section
// 6.2.2), so that any bytes can be a name.
func hpack(fields [][2]string) []byte {
	var b []byte
	text := func(s string) {
		if len(s) < 127 {
			b = append(b, byte(len(s)))
		} else {
			b = append(b, 127)
			n := len(s) - 127
			for ; n >= 128; n /= 128 {
				b = append(b, byte(n%128+128))
			}
			b = append(b, byte(n))
		}
		b = append(b, s...)
	}
	for _, f := range fields {
		b = append(b, 0)
		text(f[0])
		text(f[1])
	}
	return b
}

// h2Outcome is what came back for a request.
type h2Outcome struct {
	data  string // of the DATA frames
	reset bool   // the stream was reset
	gone  bool   // the connection ended, or GOAWAY came
}

// outcome reads frames until the stream or the connection ends.
func (c rawHTTP2) outcome(stream uint32) (o h2Outcome) {
	var head [9]byte
	for {
		if _, err := io.ReadFull(c, head[:]); err != nil {
			o.gone = true
			return o
		}
		payload := make([]byte, int(head[0])<<16|int(head[1])<<8|int(head[2]))
		if _, err := io.ReadFull(c, payload); err != nil {
			o.gone = true
			return o
		}
		id := binary.BigEndian.Uint32(head[5:]) & (1<<31 - 1)
		switch kind, flags := head[3], head[4]; {
		case kind == h2GoAway:
			o.gone = true
			return o
		case kind == h2Settings && flags&h2Ack == 0:
			_ = c.frame(h2Settings, h2Ack, 0, nil) // a lost connection shows at the next read
		case id != stream:
		case kind == h2Reset:
			o.reset = true
			return o
		case kind == h2Data:
			o.data += string(payload)
			if flags&h2EndStream != 0 {
				return o
			}
		case kind == h2Headers && flags&h2EndStream != 0:
			return o
		}
	}
}

// fields are the header fields of the raw request in HTTP/2.
func (r *rawRequest) fields() [][2]string {
	out := [][2]string{{":method", r.method}, {":scheme", "http"}, {":path", r.target}, {":authority", r.get("Host")}}
	for _, h := range r.header {
		if !strings.EqualFold(h[0], "Host") {
			out = append(out, [2]string{strings.ToLower(h[0]), h[1]})
		}
	}
	return out
}

// drainTo reads and drops what comes, until the connection ends or the time is over.
func (c rawHTTP2) drainTo(until time.Duration) (ended bool) {
	if err := c.SetReadDeadline(time.Now().Add(until)); err != nil {
		return true
	}
	_, err := io.Copy(io.Discard, c)
	var timeout net.Error
	return !errors.As(err, &timeout) || !timeout.Timeout()
}

// A field list is what the specification's own example is in its literal form.
func TestHPACKOfTheTests(t *testing.T) {
	// RFC 7541, appendix C.2.2, without the indexed name.
	if got := hpack([][2]string{{":path", "/sample/path"}}); !bytes.Equal(got, []byte("\x00\x05:path\x0c/sample/path")) {
		t.Errorf("%q", got)
	}
}
