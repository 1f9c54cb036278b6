package eventframe

import "encoding/binary"

const stringValue = 7

// header is one header of a frame; value is set for a string alone.
type header struct{ name, value []byte }

// nextHeader cuts a header off. A header is a length and a name, a type byte, and a
// value. It returns false where the headers make no sense.
func nextHeader(b []byte) (h header, typ byte, rest []byte, ok bool) {
	n := int(b[0])
	if len(b) < 1+n+1 {
		return h, 0, nil, false
	}
	h.name, typ, rest = b[1:1+n], b[1+n], b[2+n:]
	l := valueLen(b[1+n:])
	if l < 0 || len(rest) < l {
		return h, 0, nil, false
	}
	if typ == stringValue {
		h.value = rest[2:l]
	}
	return h, typ, rest[l:], true
}

// valueLen is the length of a header's value, b being what follows the header's
// name: a type byte and the value. It is -1 for an unknown type. The types are
// true, false, byte, short, int, long, bytes, string, timestamp and UUID.
func valueLen(b []byte) int {
	switch b[0] {
	case 0, 1:
		return 0
	case 2:
		return 1
	case 3:
		return 2
	case 4:
		return 4
	case 5, 8:
		return 8
	case 6, stringValue:
		if len(b) < 3 {
			return -1
		}
		return 2 + int(binary.BigEndian.Uint16(b[1:]))
	case 9:
		return 16
	}
	return -1
}

// kindOf is the :event-type of a frame's headers where it is one to keep, else "".
func kindOf(headers []byte) string {
	for len(headers) > 0 {
		h, typ, rest, ok := nextHeader(headers)
		if !ok {
			return ""
		}
		if string(h.name) == ":event-type" && typ == stringValue {
			for _, kind := range [...]string{MessageStop, Metadata, Chunk} {
				if string(h.value) == kind {
					return kind
				}
			}
			return ""
		}
		headers = rest
	}
	return ""
}

// isEvent reports whether the headers are those of an event of this type and nothing
// odd: the three that Bedrock writes, each a string and each once.
func isEvent(headers []byte, kind string) bool {
	var event, content, message int
	for len(headers) > 0 {
		h, typ, rest, ok := nextHeader(headers)
		if !ok || typ != stringValue {
			return false
		}
		switch string(h.name) {
		case ":event-type":
			if string(h.value) != kind {
				return false
			}
			event++
		case ":content-type":
			content++
		case ":message-type":
			if string(h.value) != "event" {
				return false
			}
			message++
		default:
			return false
		}
		headers = rest
	}
	return event == 1 && message == 1 && content <= 1
}
