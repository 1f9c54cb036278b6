package strictjson

import "unsafe"

// shareFrom is the length from which a text shares memory with what it was read from. A
// shorter text is copied, so that an identifier which outlives the call does not keep a
// prompt in memory.
const shareFrom = 4 << 10

// share returns a text without a copy where the text is long. Nobody writes to its bytes
// any more: a body is not changed after it was read, and the memory of an unescaped text
// is given away.
func (r *Reader) share(span []byte, unescaped bool) string {
	if len(span) < shareFrom {
		return string(span)
	}
	if unescaped {
		r.plain = nil
	}
	return unsafe.String(unsafe.SliceData(span), len(span))
}

// unescape returns a text in memory of the Reader's, until the next text.
func (r *Reader) unescape(span []byte) []byte {
	if cap(r.plain) < len(span) {
		r.plain = make([]byte, 0, len(span)) // slices.Grow makes two under the race detector
	}
	r.plain = unescape(r.plain[:0], span)
	return r.plain
}
