package audit

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

// Verify reads a chained log, rotated files joined oldest first, from the
// beginning of its chains, and tells by line what was done to it. The error is
// that of reading alone.
//
// Without a copy of a later checkpoint nobody can tell a log that ends with a
// closing checkpoint from one that had more sessions after it: see
// ChainOptions.OnCheckpoint and Verifier.Expect.
func Verify(r io.Reader, keys Keys) (*Report, error) {
	return (&Verifier{Keys: keys}).Verify(r)
}

// Verify is Verify with the Verifier's settings.
func (v *Verifier) Verify(r io.Reader) (*Report, error) {
	s := newScan(v)
	in := bufio.NewReaderSize(r, 64<<10)
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if err == bufio.ErrBufferFull || len(line) > 0 {
			if len(line) <= maxLine { // of a longer one the beginning will do to refuse it
				line = append(line, part...)
			}
			part = line
		}
		switch {
		case err == bufio.ErrBufferFull:
		case err == nil:
			s.line(bytes.TrimSuffix(part, []byte("\n")), true)
			line = line[:0]
		case err == io.EOF:
			if len(part) > 0 {
				s.line(part, false)
			}
			return s.end(), nil
		default:
			return nil, fmt.Errorf("audit: the log cannot be read: %w", err)
		}
	}
}
