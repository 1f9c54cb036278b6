package securebedrock

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

// brokenBody is an answer whose connection ends with an error.
type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }
func (brokenBody) Close() error               { return nil }

// A stream's error is public, whatever it wraps: the client was closed while the
// stream was silent.
func TestStreamErrorIsPublic(t *testing.T) {
	silent := &TimeoutError{Rule: ErrReadTimeout}
	for _, err := range []error{
		clientClosed(silent), fmt.Errorf("a proxy's: %w", clientClosed(silent)), clientClosed(io.ErrUnexpectedEOF),
	} {
		s := &stream{op: operations()["ConverseStream"], cause: func() error { return nil }}
		body := s.observe(brokenBody{err}, "a-model", nil)
		_, got := body.Read(make([]byte, 8))
		var p *PolicyError
		if !errors.As(got, &p) || p.Operation != "ConverseStream" || p.Model != "a-model" || !errors.Is(got, ErrClosed) {
			t.Errorf("%v: got %#v", err, got)
		}
	}
}
