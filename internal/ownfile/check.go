package ownfile

import (
	"errors"
	"io"
	"os"
)

// ErrIrregular is the error of what is no regular file.
var ErrIrregular = errors.New("it is not a regular file")

// Check refuses what is no regular file, and one that others can read or write. It
// returns the file's size.
func Check(f *os.File) (size int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	if !info.Mode().IsRegular() {
		return 0, ErrIrregular
	}
	return info.Size(), Private(info)
}

// Torn reports whether lines of this many bytes end in the middle of one.
func Torn(lines io.ReaderAt, size int64) (bool, error) {
	if size == 0 {
		return false, nil
	}
	last := make([]byte, 1)
	_, err := lines.ReadAt(last, size-1)
	return err == nil && last[0] != '\n', err
}
