package pinned

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// An answer of exactly the bound is whole, and one byte more is an error. Either way
// no byte beyond the bound is handed on.
func TestBoundedBody(t *testing.T) {
	tooLong := errors.New("too long")
	for _, row := range []struct {
		answer string
		want   string
		err    error
	}{
		{"", "", nil},
		{"1234", "1234", nil},
		{"12345", "12345", nil},
		{"123456", "12345", tooLong},
		{strings.Repeat("1", 5000), "11111", tooLong},
	} {
		for name, reader := range map[string]func(io.Reader) io.Reader{
			"at once":       func(r io.Reader) io.Reader { return r },
			"byte by byte":  iotest.OneByteReader,
			"EOF with data": iotest.DataErrReader,
		} {
			b := &Bounded{ReadCloser: io.NopCloser(reader(strings.NewReader(row.answer))), Left: 5, TooLong: TooLongFunc(func() error { return tooLong })}
			got, err := io.ReadAll(b)
			if string(got) != row.want || !errors.Is(err, row.err) {
				t.Errorf("%d bytes %s: got %q, %v", len(row.answer), name, got, err)
			}
			if row.err == nil {
				continue
			}
			if n, err := b.Read(make([]byte, 9)); n != 0 || !errors.Is(err, tooLong) {
				t.Errorf("%d bytes %s, read on: got %d bytes, %v", len(row.answer), name, n, err)
			}
		}
	}
}
