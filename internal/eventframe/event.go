package eventframe

import (
	"encoding/base64"
	"unicode/utf8"
)

// TextDelta decodes a contentBlockDelta event with a text, the event of which a
// ConverseStream is made:
//
//	{"contentBlockIndex":0,"delta":{"text":"Hello"},"p":"abc"}
//
// ok is false for every other event and for anything odd: white space, another member,
// a member twice or missing, a number that is no small integer, invalid UTF-8, an
// escape by number. The SDK's decoder has the word on those.
func (f Frame) TextDelta() (index int32, text string, ok bool) {
	if !isEvent(f.headers, "contentBlockDelta") {
		return 0, "", false
	}
	c := cursor{b: f.payload}
	var hasIndex, hasDelta bool
	c.object(func(key []byte) {
		switch {
		case string(key) == "contentBlockIndex" && !hasIndex:
			hasIndex = true
			index = c.integer()
		case string(key) == "delta" && !hasDelta:
			hasDelta = true
			c.skip('{')
			if string(c.key()) != "text" {
				c.failed = true
			}
			text = c.text()
			c.skip('}')
		default:
			c.failed = true
		}
	})
	if c.failed || !hasIndex || !hasDelta {
		return 0, "", false
	}
	return index, text, true
}

// Chunk decodes a chunk event, of which the streams of InvokeModel are made:
//
//	{"bytes":"eyJhIjoxfQ==","p":"abc"}
//
// ok is false for every other event and for anything odd.
func (f Frame) Chunk() (chunk []byte, ok bool) {
	if !isEvent(f.headers, Chunk) {
		return nil, false
	}
	c := cursor{b: f.payload}
	c.object(func(key []byte) {
		if string(key) != "bytes" || chunk != nil {
			c.failed = true
			return
		}
		text := c.plain()
		chunk = make([]byte, base64.StdEncoding.DecodedLen(len(text)))
		n, err := base64.StdEncoding.Decode(chunk, text)
		chunk = chunk[:n]
		if err != nil || n == 0 {
			c.failed = true
		}
	})
	return chunk, !c.failed && chunk != nil
}

// cursor walks over JSON of the plainest form. It fails at anything else, and stays
// failed.
type cursor struct {
	b      []byte
	failed bool
}

// object walks over the one object that is left. member reads the value of each key
// but of "p", Bedrock's padding, which may be there once.
func (c *cursor) object(member func(key []byte)) {
	padded := false
	for begin := byte('{'); c.skip(begin); begin = ',' {
		key := c.key()
		if string(key) == "p" && !padded {
			padded = true
			c.plain()
		} else {
			member(key)
		}
		if len(c.b) == 1 && c.b[0] == '}' {
			return
		}
	}
}

// skip passes over one byte.
func (c *cursor) skip(x byte) bool {
	if c.failed || len(c.b) == 0 || c.b[0] != x {
		c.failed = true
		return false
	}
	c.b = c.b[1:]
	return true
}

// key is a member's name, and passes over its colon.
func (c *cursor) key() []byte {
	k := c.plain()
	c.skip(':')
	return k
}

// plain is a string of printable ASCII without an escape.
func (c *cursor) plain() []byte {
	if !c.skip('"') {
		return nil
	}
	for i, x := range c.b {
		switch {
		case x == '"':
			s := c.b[:i]
			c.b = c.b[i+1:]
			return s
		case x == '\\' || x < ' ' || x >= utf8.RuneSelf:
			c.failed = true
			return nil
		}
	}
	c.failed = true
	return nil
}

// integer is zero or a number of at most six digits.
func (c *cursor) integer() (n int32) {
	i := 0
	for ; i < len(c.b) && i < 6 && c.b[i] >= '0' && c.b[i] <= '9'; i++ {
		n = 10*n + int32(c.b[i]-'0')
	}
	if i == 0 || i > 1 && c.b[0] == '0' {
		c.failed = true
		return 0
	}
	c.b = c.b[i:] // what follows must be a comma or the end, or the caller fails
	return n
}

// text is a string with or without the escapes of two characters.
func (c *cursor) text() string {
	if !c.skip('"') {
		return ""
	}
	for i, x := range c.b {
		switch {
		case x == '"':
			s := c.b[:i]
			c.b = c.b[i+1:]
			return c.valid(s)
		case x == '\\':
			return c.escaped(i)
		case x < ' ':
			c.failed = true
			return ""
		}
	}
	c.failed = true
	return ""
}

// escaped is text from its first escape on.
func (c *cursor) escaped(i int) string {
	s := append(make([]byte, 0, len(c.b)), c.b[:i]...)
	for ; i < len(c.b); i++ {
		x := c.b[i]
		switch {
		case x == '"':
			c.b = c.b[i+1:]
			return c.valid(s)
		case x < ' ':
			c.failed = true
			return ""
		case x != '\\':
			s = append(s, x)
			continue
		}
		if i++; i == len(c.b) {
			break
		}
		switch x := c.b[i]; x {
		case '"', '\\', '/':
			s = append(s, x)
		case 'b':
			s = append(s, '\b')
		case 'f':
			s = append(s, '\f')
		case 'n':
			s = append(s, '\n')
		case 'r':
			s = append(s, '\r')
		case 't':
			s = append(s, '\t')
		default:
			c.failed = true
			return ""
		}
	}
	c.failed = true
	return ""
}

func (c *cursor) valid(s []byte) string {
	if !utf8.Valid(s) {
		c.failed = true
		return ""
	}
	return string(s)
}
