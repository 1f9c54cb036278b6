package strictjson

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deep objects and arrays may nest, the document's own included.
const maxDepth = 256

// scanner walks over the tokens of a body. Its methods return the reason of a refusal,
// which is empty where there is none.
type scanner struct {
	b    []byte
	i    int
	keys keyStack
}

const noJSON = "is not valid JSON"

// next skips white space and returns the byte that follows; zero at the end.
func (s *scanner) next() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// take skips white space and the byte c.
func (s *scanner) take(c byte) bool {
	if s.next() != c {
		return false
	}
	s.i++
	return true
}

// text passes over a string and returns what stands between its quotes.
func (s *scanner) text() (span []byte, escaped bool, why string) {
	if !s.take('"') {
		return nil, false, noJSON
	}
	start := s.i
	for {
		s.i = plainEnd(s.b, s.i)
		if s.i >= len(s.b) {
			return nil, false, noJSON
		}
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return s.b[start : s.i-1], escaped, ""
		case c == '\\':
			escaped = true
			if why := s.escape(); why != "" {
				return nil, false, why
			}
		default: // a control character
			return nil, false, noJSON
		}
	}
}

// plainEnd returns the index of the first byte from i on that is a quote, a backslash
// or a control character. It looks at eight bytes at a time.
func plainEnd(b []byte, i int) int {
	const low, high = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, slash := x^(low*'"'), x^(low*'\\')
		if hits := ((x-low*0x20)&^x | (quote-low)&^quote | (slash-low)&^slash) & high; hits != 0 {
			return i + bits.TrailingZeros64(hits)/8 // the lowest hit is exact, others may borrow
		}
	}
	for i < len(b) && b[i] >= 0x20 && b[i] != '"' && b[i] != '\\' {
		i++
	}
	return i
}

// escape passes over an escape. A half of a surrogate pair is refused: it is no
// character, and decoders replace it.
func (s *scanner) escape() (why string) {
	if s.i+1 >= len(s.b) {
		return noJSON
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
		return ""
	case 'u':
		r, ok := hex4(s.b[s.i+2:])
		if !ok {
			return noJSON
		}
		s.i += 6
		if !utf16.IsSurrogate(r) {
			return ""
		}
		if rest := s.b[s.i:]; len(rest) > 1 && rest[0] == '\\' && rest[1] == 'u' {
			if low, ok := hex4(rest[2:]); ok && utf16.DecodeRune(r, low) != utf8.RuneError {
				s.i += 6
				return ""
			}
		}
		return "has half of a surrogate pair, which is no character"
	}
	return noJSON
}

func hex4(b []byte) (r rune, ok bool) {
	if len(b) < 4 {
		return 0, false
	}
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape appends the bytes that the span of a string stands for. The span is one
// that text has passed over.
func unescape(out, span []byte) []byte {
	for i := 0; i < len(span); {
		end := plainEnd(span, i)
		out = append(out, span[i:end]...)
		if end == len(span) {
			break
		}
		i = end + 2
		switch c := span[end+1]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(span[i:])
			i += 4
			if utf16.IsSurrogate(r) {
				low, _ := hex4(span[i+2:])
				r = utf16.DecodeRune(r, low)
				i += 6
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, c)
		}
	}
	return out
}

// number passes over a number and returns its text.
func (s *scanner) number() (span []byte, why string) {
	s.next()
	start := s.i
	s.one('-')
	if !s.one('0') && !s.digits() {
		return nil, noJSON
	}
	if s.one('.') && !s.digits() {
		return nil, noJSON
	}
	if s.one('e') || s.one('E') {
		if !s.one('+') {
			s.one('-')
		}
		if !s.digits() {
			return nil, noJSON
		}
	}
	return s.b[start:s.i], ""
}

func (s *scanner) one(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

// word passes over true, false or null.
func (s *scanner) word(word string) bool {
	s.next()
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return false
	}
	s.i += len(word)
	return true
}

// value passes over a value of any type. depth is how deep it stands.
func (s *scanner) value(depth int) (why string) {
	if depth > maxDepth {
		return tooDeep
	}
	switch s.next() {
	case '{':
		return s.object(depth)
	case '[':
		return s.array(depth)
	case '"':
		_, _, why = s.text()
		return why
	case 't':
		return unless(s.word("true"))
	case 'f':
		return unless(s.word("false"))
	case 'n':
		return unless(s.word("null"))
	}
	_, why = s.number()
	return why
}

const tooDeep = "nests too deep"

func unless(ok bool) string {
	if ok {
		return ""
	}
	return noJSON
}

func (s *scanner) object(depth int) (why string) {
	s.i++
	if s.take('}') {
		return ""
	}
	keys := s.keys.open()
	for {
		span, escaped, why := s.text()
		if why != "" {
			return why
		}
		if escaped {
			span = unescape(make([]byte, 0, len(span)), span) // kept until the object ends
		}
		if !s.keys.add(&keys, span) {
			return "has a key of an object twice"
		}
		if !s.take(':') {
			return noJSON
		}
		if why := s.value(depth + 1); why != "" {
			return why
		}
		if s.take('}') {
			s.keys.close(keys)
			return ""
		}
		if !s.take(',') {
			return noJSON
		}
	}
}

func (s *scanner) array(depth int) (why string) {
	s.i++
	if s.take(']') {
		return ""
	}
	for {
		if why := s.value(depth + 1); why != "" {
			return why
		}
		if s.take(']') {
			return ""
		}
		if !s.take(',') {
			return noJSON
		}
	}
}
