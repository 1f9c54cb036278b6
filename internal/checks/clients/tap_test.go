package clients_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// tap stands between a client and a server. It passes the bytes on as they are and
// records the requests in them, so that a test sees what a client sends and how often.
type tap struct {
	url string

	mu   sync.Mutex
	sent []*sent
}

// sent is one request as a client wrote it.
type sent struct {
	Method string
	Target string // as sent: escaped, with the query
	Proto  string // HTTP/1.1, HTTP/2.0
	Header []field
	Body   []byte
}

type field struct{ name, value string }

// get returns the first field of a name in lower case.
func (s *sent) get(name string) string {
	for _, f := range s.Header {
		if strings.EqualFold(f.name, name) {
			return f.value
		}
	}
	return ""
}

// newTap starts a tap before the server at target, an http URL.
func newTap(t testing.TB, target string) *tap {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &tap{url: "http://" + listener.Addr().String()}
	var serving sync.WaitGroup
	t.Cleanup(func() { _ = listener.Close(); serving.Wait() })
	serving.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", to.Host)
			if err != nil {
				_ = client.Close()
				continue
			}
			go p.pass(client, server)
		}
	})
	return p
}

// pass copies both ways until both sides have ended. An answer goes on only when the
// requests before it are recorded, so that a client that has its answer is counted.
func (p *tap) pass(client, server net.Conn) {
	copied := newFeed()
	go p.record(copied)
	go func() {
		_, _ = io.Copy(writerFunc(func(b []byte) (int, error) {
			copied.drained()
			return client.Write(b)
		}), server)
		_ = client.Close()
	}()
	_, _ = io.Copy(io.MultiWriter(copied, server), client)
	copied.close()
	_ = server.(*net.TCPConn).CloseWrite()
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

// feed carries bytes from a writer, which never waits, to a reader.
type feed struct {
	mu      sync.Mutex
	changed *sync.Cond
	bytes   []byte
	waiting bool // the reader has read everything, and asks for more
	closed  bool
}

func newFeed() *feed {
	f := &feed{}
	f.changed = sync.NewCond(&f.mu)
	return f
}

func (f *feed) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bytes, f.waiting = append(f.bytes, b...), false
	f.changed.Broadcast()
	return len(b), nil
}

func (f *feed) Read(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(f.bytes) == 0 {
		if f.closed {
			return 0, io.EOF
		}
		f.waiting = true
		f.changed.Broadcast()
		f.changed.Wait()
	}
	n := copy(b, f.bytes)
	f.bytes = f.bytes[n:]
	return n, nil
}

// drained waits until the reader has read and handled everything.
func (f *feed) drained() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for !f.waiting && !f.closed {
		f.changed.Wait()
	}
}

func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	f.changed.Broadcast()
}

// since returns the requests that came after the first from.
func (p *tap) since(from int) []*sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]*sent(nil), p.sent[from:]...)
}

func (p *tap) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.sent)
}

func (p *tap) add(s *sent) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent = append(p.sent, s)
}

// record reads a connection's requests. What it cannot read it passes over.
func (p *tap) record(r io.Reader) {
	defer func() { _, _ = io.Copy(io.Discard, r) }()
	in := bufio.NewReader(r)
	if start, _ := in.Peek(len(http2.ClientPreface)); string(start) == http2.ClientPreface {
		_, _ = in.Discard(len(http2.ClientPreface))
		p.recordHTTP2(in)
		return
	}
	for {
		s, err := readHTTP1(in)
		if s != nil {
			p.add(s)
		}
		if err != nil {
			return
		}
	}
}

// readHTTP1 reads one request with the names of its header fields as they were written.
func readHTTP1(in *bufio.Reader) (*sent, error) {
	var head bytes.Buffer
	for {
		line, err := in.ReadBytes('\n')
		head.Write(line)
		if err != nil {
			return nil, err
		}
		if len(bytes.TrimSpace(line)) == 0 {
			break
		}
	}
	lines := strings.Split(strings.TrimSpace(head.String()), "\r\n")
	request, err := http.ReadRequest(bufio.NewReader(io.MultiReader(&head, in)))
	if err != nil {
		return nil, err
	}
	s := &sent{Method: request.Method, Target: request.RequestURI, Proto: request.Proto}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ":")
		s.Header = append(s.Header, field{name, strings.TrimSpace(value)})
	}
	s.Body, err = io.ReadAll(request.Body)
	return s, err
}

// recordHTTP2 reads the frames of a connection. A request counts with its headers.
func (p *tap) recordHTTP2(in io.Reader) {
	framer := http2.NewFramer(io.Discard, in)
	framer.ReadMetaHeaders = hpack.NewDecoder(4096, nil)
	streams := make(map[uint32]*sent)
	for {
		frame, err := framer.ReadFrame()
		if err != nil {
			return
		}
		switch f := frame.(type) {
		case *http2.MetaHeadersFrame:
			if streams[f.StreamID] != nil { // trailers
				continue
			}
			s := &sent{Method: f.PseudoValue("method"), Target: f.PseudoValue("path"), Proto: "HTTP/2.0"}
			for _, h := range f.Fields {
				s.Header = append(s.Header, field{h.Name, h.Value})
			}
			streams[f.StreamID] = s
			p.add(s)
		case *http2.DataFrame:
			if s := streams[f.StreamID]; s != nil {
				p.mu.Lock()
				s.Body = append(s.Body, f.Data()...)
				p.mu.Unlock()
			}
		}
	}
}
