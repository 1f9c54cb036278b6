package pinned

import "io"

// Bounded ends an answer that is longer than Left bytes.
type Bounded struct {
	io.ReadCloser
	Left    int64
	TooLong TooLong
}

// TooLong makes the error of an answer that has no end. It is an interface, so that
// what a call has anyway can serve without an allocation.
type TooLong interface{ AnswerTooLong() error }

// TooLongFunc is a TooLong.
type TooLongFunc func() error

// AnswerTooLong implements TooLong.
func (f TooLongFunc) AnswerTooLong() error { return f() }

// Read implements io.Reader. An answer of exactly Left bytes is whole.
func (b *Bounded) Read(p []byte) (int, error) {
	if b.Left < 0 {
		return 0, b.TooLong.AnswerTooLong()
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.Left+1)])
	if b.Left -= int64(n); b.Left < 0 {
		return n - 1, b.TooLong.AnswerTooLong()
	}
	return n, err
}
