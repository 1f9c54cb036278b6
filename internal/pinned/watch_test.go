package pinned

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

type passedError struct{ Timeout }

func (passedError) Error() string { return "a bound has passed" }

// server answers after it has read the request a byte a beat.
type server struct {
	beat   time.Duration // between two bytes of the request
	think  time.Duration // before the headers
	silent bool          // in the middle of the body
}

func (s server) RoundTrip(r *http.Request) (*http.Response, error) {
	wait := func(d time.Duration) error {
		select {
		case <-time.After(d):
			return nil
		case <-r.Context().Done():
			return r.Context().Err()
		}
	}
	for b := make([]byte, 1); ; {
		if err := wait(s.beat); err != nil {
			return nil, err
		}
		if _, err := r.Body.Read(b); err != nil {
			break
		}
	}
	if err := wait(s.think); err != nil {
		return nil, err
	}
	var body io.Reader = endsWith{r.Context(), strings.NewReader("abcd")}
	if s.silent {
		body = io.MultiReader(strings.NewReader("ab"), silence{r.Context()})
	}
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body)}, nil
}

// endsWith is a body that the end of its request ends, as net/http's.
type endsWith struct {
	context.Context //nolint:containedctx // see above
	io.Reader
}

func (b endsWith) Read(p []byte) (int, error) {
	if err := b.Err(); err != nil {
		return 0, err
	}
	return b.Reader.Read(p)
}

type silence struct{ context.Context } //nolint:containedctx // a body that ends with its request

func (s silence) Read([]byte) (int, error) { <-s.Done(); return 0, s.Err() }

// The watch ends an exchange in which nothing arrives and nothing is taken, and no
// other.
func TestIdleWatch(t *testing.T) {
	for _, row := range []struct {
		name   string
		server server
		pause  time.Duration // of the reader, after each byte
		costs  bool
		after  time.Duration // of the timeout; zero: none
		sent   bool
	}{
		{"an answer at once", server{}, 0, true, 0, false},
		{"a request that takes long on its way", server{beat: 900 * time.Millisecond}, 0, true, 0, false},
		{"a reader that takes long", server{}, time.Minute, true, 0, false},
		{"no headers", server{think: time.Hour}, 0, true, time.Second, true},
		{"no headers, of what costs nothing", server{think: time.Hour}, 0, false, time.Second, false},
		{"a request that is not taken", server{beat: time.Hour}, 0, true, 5 * time.Second, false},
		{"silence in the answer", server{silent: true}, 0, true, time.Second, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := Client{RoundTripper: row.server, Connections: new(Connections), Costs: row.costs, Timeouts: Timeouts{
					Connect: 2 * time.Second, Read: time.Second, Passed: func(p Timeout) error { return passedError{p} },
				}}
				req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://server", strings.NewReader("request"))
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				resp, err := c.Do(req)
				if err == nil {
					for b := make([]byte, 1); err == nil; time.Sleep(row.pause) {
						_, err = resp.Body.Read(b)
					}
					resp.Body.Close()
				}
				var passed passedError
				switch {
				case row.after == 0:
					if !errors.Is(err, io.EOF) {
						t.Errorf("got %v", err)
					}
				case !errors.As(err, &passed) || passed.Rule != refusal.ReadTimeout || passed.After != time.Second || passed.Sent != row.sent || time.Since(start) != row.after:
					t.Errorf("after %v got %+v", time.Since(start), err)
				}
			})
		})
	}
}

// orderly ends the answer in order when the connection closes.
type orderly struct{ closed <-chan struct{} }

func (o orderly) RoundTrip(r *http.Request) (*http.Response, error) {
	closed := o.closed
	if closed == nil {
		closed = r.Context().Done()
	}
	body := io.MultiReader(strings.NewReader("ab"), endsAfter(closed))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: io.NopCloser(body)}, nil
}

type endsAfter <-chan struct{}

func (c endsAfter) Read([]byte) (int, error) { <-c; return 0, io.EOF }

// A server that sees the connection close may end its answer in order. The timeout or
// the end of the client that closed the connection is told all the same.
func TestAnswerThatEndsWithItsConnectionIsNotWhole(t *testing.T) {
	read := func(t *testing.T, c *Client) error {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "https://example.com", http.NoBody)
		if err != nil {
			return err
		}
		resp, err := c.Do(req)
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		_, err = io.ReadAll(resp.Body)
		return err
	}
	t.Run("by the timeout", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			bounds := Timeouts{Read: time.Second, Passed: func(t Timeout) error { return passedError{t} }}
			var passed passedError
			if err := read(t, &Client{RoundTripper: orderly{}, Connections: new(Connections), Timeouts: bounds}); !errors.As(err, &passed) || passed.Rule != refusal.ReadTimeout {
				t.Errorf("got %v", err)
			}
		})
	})
	t.Run("by the end of the client", func(t *testing.T) {
		killed, closed := errors.New("the client was closed"), make(chan struct{})
		conns := &Connections{Killed: func(err error) error { return errors.Join(killed, err) }}
		time.AfterFunc(10*time.Millisecond, func() { conns.Kill(); close(closed) })
		if err := read(t, &Client{RoundTripper: orderly{closed}, Connections: conns}); !errors.Is(err, killed) {
			t.Errorf("got %v", err)
		}
	})
}
