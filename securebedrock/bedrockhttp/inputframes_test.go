package bedrockhttp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

// A body of frames ends between two of them alone, and no frame is over the bound.
func TestFramedBody(t *testing.T) {
	frame := func(length uint32, have int) []byte {
		return append(binary.BigEndian.AppendUint32(nil, length), make([]byte, have-4)...)
	}
	for _, row := range []struct {
		name string
		body []byte
		read int // bytes that are passed on
		err  error
	}{
		{"nothing", nil, 0, io.EOF},
		{"two frames", append(frame(16, 16), frame(20, 20)...), 36, io.EOF},
		{"the longest frame", frame(maxInputFrame, maxInputFrame), maxInputFrame, io.EOF},
		{"a frame over the bound", frame(maxInputFrame+1, 64), 0, errFrameLength()},
		{"a frame of 4 GiB", frame(1<<32-1, 64), 0, errFrameLength()},
		{"a frame shorter than a frame can be", frame(15, 64), 0, errFrameLength()},
		{"half a length", []byte{0, 0}, 0, io.ErrUnexpectedEOF},
		{"half a frame", frame(64, 32), 32, io.ErrUnexpectedEOF},
		{"a length alone", frame(64, 4), 4, io.ErrUnexpectedEOF},
	} {
		for how, r := range map[string]io.Reader{
			"at once": bytes.NewReader(row.body), "byte by byte": iotest.OneByteReader(bytes.NewReader(row.body)), "with the error": iotest.DataErrReader(bytes.NewReader(row.body)),
		} {
			f := &framedBody{r: r}
			n, err := 0, error(nil)
			for p := make([]byte, 1<<10); err == nil; {
				var more int
				more, err = f.Read(p)
				n += more
			}
			if n != row.read || !errors.Is(err, row.err) && err.Error() != row.err.Error() || f.end != (row.err == io.EOF) {
				t.Errorf("%s, %s: %d bytes, %v, end %v", row.name, how, n, err, f.end)
			}
		}
	}
}
