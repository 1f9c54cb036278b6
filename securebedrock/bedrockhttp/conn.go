package bedrockhttp

import (
	"errors"
	"io"
	"maps"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// conn is the caller's side of a request at a Handler. It bounds the time of each read
// and of each write. It implements io.ReadCloser for the request's body.
type conn struct {
	w       http.ResponseWriter
	r       *http.Request
	control *http.ResponseController
	idle    time.Duration
	end     time.Time // for the whole body
	read    bool      // the body has come to its end
}

// wholeBody is how many times the idle time a body may take.
const wholeBody = 10

func newConn(w http.ResponseWriter, r *http.Request, idle time.Duration) *conn {
	c := &conn{w: w, r: r, control: http.NewResponseController(w), idle: idle, end: time.Now().Add(wholeBody * idle)}
	c.read = r.Body == nil || r.Body == http.NoBody
	if !c.read {
		// net/http reads a bounded rest of a body that is refused unread.
		c.readUntil(time.Now().Add(idle))
	}
	return c
}

// readUntil bounds the next reads. A ResponseWriter without deadlines has none.
func (c *conn) readUntil(t time.Time) { _ = c.control.SetReadDeadline(t) }

// Read implements io.Reader.
func (c *conn) Read(p []byte) (int, error) {
	if c.r.Body == nil {
		return 0, io.EOF
	}
	until := time.Now().Add(c.idle)
	if until.After(c.end) {
		until = c.end
	}
	c.readUntil(until)
	n, err := c.r.Body.Read(p)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &wire.Error{Status: http.StatusRequestTimeout, Code: "RequestTimeoutException",
			Message: "securebedrock: the request's body did not arrive in time; see HandlerOptions.BodyTimeout"}
	}
	return n, err
}

// Close implements io.Closer. net/http closes the body.
func (c *conn) Close() error { return nil }

// whole notes that the body has come to its end. From then on net/http reads from the
// connection to see the caller go away, for which there is no bound.
func (c *conn) whole() {
	c.read = true
	c.readUntil(time.Time{})
}

// send writes an answer.
func (c *conn) send(a *answer) {
	header := c.w.Header()
	maps.Copy(header, a.header)
	if !c.read && c.r.ProtoMajor == 1 {
		header.Set("Connection", "close") // rather than to read what is refused
	}
	if a.events != nil {
		c.stream(a)
		return
	}
	header.Set("Content-Length", strconv.Itoa(len(a.body)))
	c.w.WriteHeader(a.status)
	for body := a.body; len(body) > 0; {
		n := min(len(body), 64<<10)
		if err := c.write(body[:n]); err != nil {
			panic(http.ErrAbortHandler) // the answer must not seem whole; net/http logs nothing
		}
		body = body[n:]
	}
}

// stream writes the events of an answer, each at once.
func (c *conn) stream(a *answer) {
	defer a.events.Close()
	c.w.WriteHeader(a.status)
	err := c.flush()
	var frame []byte
	for err == nil {
		frame, err = a.events.next(frame[:0])
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			// The request's context is over. Where the caller is still there, the
			// stream must not seem whole.
			frame, _ = exceptionFrame(err)
		}
		if failed := c.write(frame); failed != nil {
			err = failed
		}
		if failed := c.flush(); failed != nil {
			err = failed
		}
	}
	panic(http.ErrAbortHandler)
}

// write writes within the idle time.
func (c *conn) write(p []byte) error {
	_ = c.control.SetWriteDeadline(time.Now().Add(c.idle))
	_, err := c.w.Write(p)
	return err
}

// flush sends what was written within the idle time. A ResponseWriter that cannot flush
// sends by itself.
func (c *conn) flush() error {
	_ = c.control.SetWriteDeadline(time.Now().Add(c.idle))
	err := c.control.Flush()
	// HTTP/2 ends a stream at its deadline, also while nothing is written.
	_ = c.control.SetWriteDeadline(time.Time{})
	if errors.Is(err, http.ErrNotSupported) {
		return nil
	}
	return err
}
