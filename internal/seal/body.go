package seal

import (
	"bytes"
	"io"
)

// unread is what a bytes.Reader has left to read, without a copy.
func (c *catcher) unread(r *bytes.Reader) []byte {
	*c = nil // WriteTo writes nothing where nothing is left
	_, _ = r.WriteTo(c)
	_, _ = r.Seek(-int64(len(*c)), io.SeekCurrent)
	return *c
}

// catcher keeps what is written to it. A bytes.Reader writes all of it in one piece.
type catcher []byte

func (c *catcher) Write(p []byte) (int, error) { *c = p; return len(p), nil }

// oneSlice reports whether two slices are the same memory.
func oneSlice(a, b []byte) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// readsAs reports whether a body has these bytes, and reads the body to its end.
func readsAs(body io.Reader, want []byte) bool {
	got, err := io.ReadAll(io.LimitReader(body, int64(len(want))+1))
	return err == nil && bytes.Equal(got, want)
}
