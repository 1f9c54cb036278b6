package eventframe

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
)

// maxBuffered bounds a frame that a Buffer reads; a longer one is left to the SDK's
// decoder, which reads it piece by piece.
const maxBuffered = 64 << 10

// Prelude is the beginning of a frame. It is read apart from the rest, so that a
// stream that waits for its next event holds no Buffer.
type Prelude struct {
	b   [preludeLen]byte
	n   int
	err error
}

// ReadPrelude reads the beginning of the next frame.
func ReadPrelude(r io.Reader) *Prelude {
	p := new(Prelude)
	p.n, p.err = io.ReadFull(r, p.b[:])
	return p
}

// Buffer reads frames into memory that it uses again. The zero value is ready. It is
// for one goroutine at a time.
type Buffer struct {
	b      []byte
	replay bytes.Reader
}

// Frame is a whole frame whose sums are right. It is valid until the Buffer is used
// again.
type Frame struct{ headers, payload []byte }

// Next reads the rest of the frame. In every case rest gives another decoder the bytes of the
// frame as they came: where ok is false, what has been read of the frame, and then
// what is left of r or r's error.
func (b *Buffer) Next(p *Prelude, r io.Reader) (f Frame, rest io.Reader, ok bool) {
	if cap(b.b) < 1<<10 {
		b.b = make([]byte, 1<<10)
	}
	b.b = b.b[:cap(b.b)]
	copy(b.b, p.b[:])
	if p.err != nil {
		return f, b.after(p.n, &failing{p.err}), false
	}
	total, headers := binary.BigEndian.Uint32(b.b), binary.BigEndian.Uint32(b.b[4:])
	if total < preludeLen+sumLen || total > maxBuffered || headers > total-preludeLen-sumLen {
		return f, b.after(preludeLen, r), false
	}
	if int(total) > cap(b.b) {
		b.b = make([]byte, max(int(total), 2*cap(b.b)))
		copy(b.b, p.b[:])
	}
	whole := b.b[:total]
	n, err := io.ReadFull(r, whole[preludeLen:])
	if err != nil {
		return f, b.after(preludeLen+n, &failing{err}), false
	}
	b.replay.Reset(whole)
	sum := func(end uint32) bool {
		return crc32.ChecksumIEEE(whole[:end]) == binary.BigEndian.Uint32(whole[end:])
	}
	if !sum(preludeLen-sumLen) || !sum(total-sumLen) {
		return f, &b.replay, false
	}
	return Frame{whole[preludeLen : preludeLen+headers], whole[preludeLen+headers : total-sumLen]}, &b.replay, true
}

// after replays the first n bytes and goes on with r.
func (b *Buffer) after(n int, r io.Reader) io.Reader {
	b.replay.Reset(b.b[:n])
	return io.MultiReader(&b.replay, r)
}

// failing is a Reader that has come to its error.
type failing struct{ err error }

func (f *failing) Read([]byte) (int, error) { return 0, f.err }
