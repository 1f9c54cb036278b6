package bedrockhttp_test

import (
	"bufio"
	"fmt"
	"strings"
	"testing"
)

// chunked is the request with its body in chunks of the given size.
func chunked(r *rawRequest, size int, extension string) []byte {
	r.drop("Content-Length")
	if r.get("Transfer-Encoding") == "" {
		r.set("Transfer-Encoding", "chunked")
	}
	var b strings.Builder
	b.Write(r.head())
	for rest := r.body; len(rest) > 0; {
		n := min(size, len(rest))
		fmt.Fprintf(&b, "%x%s\r\n%s\r\n", n, extension, rest[:n])
		rest = rest[n:]
	}
	b.WriteString("0\r\n\r\n")
	return []byte(b.String())
}

// Requests whose ends two readers may see in different places, and requests that are
// broken, are refused.
func TestAdversaryFraming(t *testing.T) {
	const denied, bad, tooLarge = "403 AccessDeniedException", "400", "431"
	refused := []string{bad, denied, "400 ValidationException", "400 SerializationException", "403 InvalidSignatureException", "501"}
	add := func(name, value string) func(*attackDoor, *rawRequest) {
		return func(_ *attackDoor, r *rawRequest) { r.add(name, value) }
	}
	// insert puts a raw line behind the request line.
	insert := func(line string) func(*rawRequest) []byte {
		return func(r *rawRequest) []byte {
			first, rest, _ := strings.Cut(string(r.bytes()), "\r\n")
			return []byte(first + "\r\n" + line + rest)
		}
	}
	te := func(value string) func(*rawRequest) []byte {
		return func(r *rawRequest) []byte {
			r.set("Transfer-Encoding", value)
			return chunked(r, 1<<20, "")
		}
	}
	runAttacks(t, []attack{
		{name: "two lengths", tamper: add("Content-Length", "5"), want: refused},
		{name: "a list of lengths", tamper: func(_ *attackDoor, r *rawRequest) {
			r.set("Content-Length", r.get("Content-Length")+", 5")
		}, want: refused},
		{name: "a length with a sign", tamper: func(_ *attackDoor, r *rawRequest) { r.set("Content-Length", "+"+r.get("Content-Length")) }, want: refused},
		{name: "a negative length", tamper: func(_ *attackDoor, r *rawRequest) { r.set("Content-Length", "-1") }, want: refused},
		{name: "a length in hexadecimal", tamper: func(_ *attackDoor, r *rawRequest) { r.set("Content-Length", "0x10") }, want: refused},
		{name: "a length that overflows", tamper: func(_ *attackDoor, r *rawRequest) { r.set("Content-Length", "18446744073709551617") }, want: refused},
		{name: "an empty length", tamper: func(_ *attackDoor, r *rawRequest) { r.set("Content-Length", "") }, want: refused},
		{name: "a length below the body's, a second request in the rest", tamper: func(_ *attackDoor, r *rawRequest) {
			r.set("Content-Length", "10")
		}, want: refused},
		{name: "a length and chunks", wire: func(r *rawRequest) []byte {
			length := r.get("Content-Length")
			out := chunked(r, 1<<20, "")
			return []byte(strings.Replace(string(out), "\r\n", "\r\nContent-Length: "+length+"\r\n", 1))
		}, want: refused},
		{name: "chunked twice", wire: te("chunked, chunked"), want: refused},
		{name: "a list of encodings", wire: te("gzip, chunked"), want: refused},
		{name: "an unknown encoding", wire: te("xchunked"), want: refused},
		{name: "an encoding behind a vertical tab", wire: te("\vchunked"), want: refused},
		{name: "identity", tamper: add("Transfer-Encoding", "identity"), want: refused},
		{name: "two encodings", wire: func(r *rawRequest) []byte {
			r.add("Transfer-Encoding", "chunked")
			r.add("Transfer-Encoding", "identity")
			return chunked(r, 1<<20, "")
		}, want: refused},
		{name: "an encoding with a space before the colon", wire: insert("Transfer-Encoding : chunked\r\n"), want: refused},
		{name: "chunks in HTTP/1.0", wire: func(r *rawRequest) []byte {
			r.proto = "HTTP/1.0"
			return chunked(r, 1<<20, "")
		}, want: append([]string{"505"}, refused...)},
		{name: "a chunk's size that overflows", wire: func(r *rawRequest) []byte {
			r.drop("Content-Length")
			r.set("Transfer-Encoding", "chunked")
			return append(r.head(), "ffffffffffffffffff\r\n"+string(r.body)+"\r\n0\r\n\r\n"...)
		}, want: refused},
		{name: "a chunk's size that is negative", wire: func(r *rawRequest) []byte {
			r.drop("Content-Length")
			r.set("Transfer-Encoding", "chunked")
			return append(r.head(), "-1\r\n"+string(r.body)+"\r\n0\r\n\r\n"...)
		}, want: refused},
		{name: "a chunk's size with a prefix", wire: func(r *rawRequest) []byte {
			r.drop("Content-Length")
			r.set("Transfer-Encoding", "chunked")
			return append(r.head(), fmt.Sprintf("0x%x\r\n%s\r\n0\r\n\r\n", len(r.body), r.body)...)
		}, want: refused},
		{name: "a chunk longer than its size", wire: func(r *rawRequest) []byte {
			r.drop("Content-Length")
			r.set("Transfer-Encoding", "chunked")
			return append(r.head(), "5\r\n"+string(r.body)+"\r\n0\r\n\r\n"...)
		}, want: refused},
		{name: "chunk extensions of a megabyte", wire: func(r *rawRequest) []byte {
			return chunked(r, 1, ";x="+strings.Repeat("a", 4000))
		}, want: refused},
		{name: "chunks with bare line feeds", wire: func(r *rawRequest) []byte {
			r.drop("Content-Length")
			r.set("Transfer-Encoding", "chunked")
			return append(r.head(), fmt.Sprintf("%x\n%s\n0\n\n", len(r.body), "{"+string(r.body))...)
		}, want: refused},
		{name: "a signed header in the trailer", operation: "InvokeModel", wire: func(r *rawRequest) []byte {
			r.add("Trailer", "X-Amzn-Bedrock-GuardrailIdentifier")
			out := chunked(r, 1<<20, "")
			return append(out[:len(out)-2], "X-Amzn-Bedrock-GuardrailIdentifier: other\r\n\r\n"...)
		}, want: refused},
		{name: "a guardrail's header, folded", operation: "InvokeModel", spoil: func(r *rawRequest) {
			r.set("X-Amzn-Bedrock-GuardrailIdentifier", "other00000")
			r.set("X-Amzn-Bedrock-GuardrailVersion", "1")
		}, wire: func(r *rawRequest) []byte {
			return []byte(strings.Replace(string(r.bytes()), ": other00000", ":\r\n other00000", 1))
		}, want: refused},
		{name: "a header without a colon", wire: insert("nonsense\r\n"), want: refused},
		{name: "a header without a name", wire: insert(": value\r\n"), want: refused},
		{name: "a space in a header's name", wire: insert("X Amz: 1\r\n"), want: refused},
		{name: "a space before the first header", wire: insert(" X-Amz: 1\r\n"), want: refused},
		{name: "NUL in a header's value", wire: insert("X-Nul: a\x00b\r\n"), want: refused},
		{name: "NUL in a header's name", wire: insert("X-\x00: 1\r\n"), want: refused},
		{name: "CR in a header's value", wire: insert("X-Cr: a\rb\r\n"), want: refused},
		{name: "an umlaut in a header's name", wire: insert("X-\xfc: 1\r\n"), want: refused},
		{name: "headers of a hundred kilobytes", tamper: add("X-Long", strings.Repeat("a", 100<<10)), want: []string{tooLarge}},
		{name: "ten thousand headers", tamper: func(_ *attackDoor, r *rawRequest) {
			for i := range 10_000 {
				r.add(fmt.Sprintf("X-H%d", i), "1")
			}
		}, want: []string{tooLarge}},
		{name: "a request line of a hundred kilobytes", tamper: func(_ *attackDoor, r *rawRequest) { r.target += "?" + strings.Repeat("a", 100<<10) }, want: []string{tooLarge, "414"}},
		{name: "a request line of four words", tamper: func(_ *attackDoor, r *rawRequest) { r.target += " HTTP/1.1" }, want: refused},
		{name: "a request line with two spaces", tamper: func(_ *attackDoor, r *rawRequest) { r.target = " " + r.target }, want: refused},
		{name: "HTTP/0.9", wire: func(r *rawRequest) []byte { return []byte("POST " + r.target + "\r\n\r\n" + string(r.body)) }, want: refused},
		{name: "HTTP/3.0", tamper: func(_ *attackDoor, r *rawRequest) { r.proto = "HTTP/3.0" }, want: append([]string{"505"}, refused...)},
		{name: "TLS on a plain port", wire: func(*rawRequest) []byte { return []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03") }, want: []string{bad, "closed"}},
		{name: "a request cut in its headers", wire: func(r *rawRequest) []byte { return r.bytes()[:200] }, want: []string{"closed", bad, "408"}},
		{name: "a body that never comes", wire: func(r *rawRequest) []byte { return r.head() }, want: append([]string{"408 RequestTimeoutException"}, refused...)},
		{name: "half of a body", wire: func(r *rawRequest) []byte { return r.bytes()[:len(r.head())+20] }, want: append([]string{"408 RequestTimeoutException"}, refused...)},
		{name: "Expect without a body", tamper: add("Expect", "100-continue"), wire: func(r *rawRequest) []byte { return r.head() }, want: append([]string{"408 RequestTimeoutException"}, refused...)},
		{name: "another expectation", tamper: add("Expect", "200-ok"), want: append([]string{"417"}, refused...)},
	})
}

// A caller without a key is refused before it may send its body.
func TestExpectIsAnsweredBeforeTheBody(t *testing.T) {
	d := newAttackDoor(t)
	for _, row := range []struct {
		name      string
		sign      func(*attackDoor, *rawRequest)
		want      string
		continued bool
	}{
		{"no key", unsigned, "403 MissingAuthenticationTokenException", false},
		{"an old signature", at(-3600e9), "403 InvalidSignatureException", false},
		{"a good key", at(0), "200", true},
	} {
		r := d.request(t, "Converse", "hello")
		r.set("Expect", "100-continue")
		row.sign(d, r)
		conn := d.dial(t)
		if _, err := conn.Write(r.head()); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewReader(conn)
		if row.continued {
			line, err := in.ReadString('\n')
			if err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
				t.Fatalf("%s: %q %v", row.name, line, err)
			}
			if _, err := in.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
			if _, err := conn.Write(r.body); err != nil {
				t.Fatal(err)
			}
		}
		if got := readAnswer(in, "POST"); got.verdict() != row.want || got.continued {
			t.Errorf("%s: %s %s, continued %v", row.name, got.verdict(), got.body, got.continued)
		}
		conn.Close()
	}
}

// Requests that follow one another on a connection are judged each by itself, and what
// a refused request leaves of its body is no request.
func TestPipelinedRequests(t *testing.T) {
	d := newAttackDoor(t)
	good := func() []byte { return d.signed(t, "Converse", "a good prompt").bytes() }
	stolen := d.request(t, "Converse", "a stolen ride")
	unsigned(d, stolen)
	smuggled := d.signed(t, "Converse", "a good prompt")
	smuggled.body = append(smuggled.body, stolen.bytes()...) // behind the length that is said

	conn := d.dial(t)
	if _, err := conn.Write(append(append(good(), stolen.bytes()...), good()...)); err != nil {
		t.Fatal(err)
	}
	in := bufio.NewReader(conn)
	for i, want := range []string{"200", "403 MissingAuthenticationTokenException"} {
		if got := readAnswer(in, "POST"); got.verdict() != want {
			t.Errorf("answer %d: %s %s", i, got.verdict(), got.body)
		}
	}
	conn.Close()

	conn = d.dial(t)
	if _, err := conn.Write(smuggled.bytes()); err != nil {
		t.Fatal(err)
	}
	in = bufio.NewReader(conn)
	for i, want := range []string{"200", "403 MissingAuthenticationTokenException"} {
		if got := readAnswer(in, "POST"); got.verdict() != want {
			t.Errorf("smuggled, answer %d: %s %s", i, got.verdict(), got.body)
		}
	}
	conn.Close()
	if err := d.upstreamSaw("a stolen ride"); err != nil {
		t.Error(err)
	}
}
