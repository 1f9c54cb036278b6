package securebedrock

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
)

// The events that the observer cares for.
const (
	eventMessageStop = "messageStop"
	eventMetadata    = "metadata"
	eventChunk       = "chunk"
)

// maxKept bounds a frame's headers, and the memory that is kept from one frame to
// the next. A frame of an event of interest is kept whole, up to maxFrame: a
// guardrail trace, which proves what was applied, has no bound of its own.
const maxKept = 1 << 20

// maxFrame bounds a frame. The SDK's decoder has no bound of its own (smithy-go
// v1.28.8): it would read a frame of 4 GiB into memory.
const maxFrame = 24 << 20

// frameScanner follows application/vnd.amazon.eventstream frames as they pass:
// total length, headers length and a checksum in 12 bytes, then the headers, the
// payload, and 4 bytes of checksum
// (https://smithy.io/2.0/aws/amazon-eventstream.html). It keeps a frame only
// where its event's name asks for it; checking the sums is the decoder's work.
type frameScanner struct {
	onEvent func(kind string, frame []byte) // frame: nil unless kept; valid during the call
	all     bool                            // keep every frame

	kept    []byte // the frame's beginning, or all of it
	pos     uint32 // bytes of the frame that have passed
	total   uint32 // zero until the prelude is complete
	headers uint32
	kind    string
	keep    bool
	lost    bool // the framing makes no sense: stop looking
}

const preludeLen, sumLen = 12, 4

// between reports whether the last byte seen ended a frame.
func (f *frameScanner) between() bool { return f.pos == 0 && !f.lost }

// feed looks at what came and returns how much of it may be passed on: all, or
// what stands before the frame that makes no sense.
func (f *frameScanner) feed(b []byte) (sound int) {
	for len(b) > 0 && !f.lost {
		var want uint32 // up to where the frame is of interest now
		switch {
		case f.total == 0:
			want = preludeLen
		case f.pos < preludeLen+f.headers:
			want = preludeLen + f.headers
		default:
			want = f.total
		}
		n := int(min(uint64(want-f.pos), uint64(len(b))))
		if f.keep {
			f.kept = append(f.kept, b[:n]...)
		}
		f.pos += uint32(n)
		b = b[n:]
		if f.pos == want {
			f.reached()
		}
		if !f.lost {
			sound += n
		}
	}
	return sound
}

// reached is called at the end of the prelude, of the headers, and of the frame.
func (f *frameScanner) reached() {
	if f.total == 0 {
		total, headers := binary.BigEndian.Uint32(f.kept), binary.BigEndian.Uint32(f.kept[4:])
		if total < preludeLen+sumLen || total > maxFrame || headers > total-preludeLen-sumLen || headers > maxKept {
			f.lost = true
			return
		}
		f.total, f.headers = total, headers
		if headers > 0 {
			return
		}
	}
	if f.pos == preludeLen+f.headers && f.pos < f.total {
		f.kind = eventKind(f.kept[preludeLen:f.pos])
		f.keep = f.kind != "" || f.all
		return
	}
	if f.pos == f.total {
		var frame []byte
		if f.keep {
			frame = f.kept
		}
		f.onEvent(f.kind, frame)
		f.reset()
	}
}

func (f *frameScanner) reset() {
	if cap(f.kept) > maxKept {
		f.kept = nil
	}
	f.kept, f.pos, f.total, f.headers, f.kind, f.keep = f.kept[:0], 0, 0, 0, "", true
}

// valueLen is the length of a header's value, b being what follows the header's
// name: a type byte and the value. It is -1 for an unknown type. The types are
// true, false, byte, short, int, long, bytes, string, timestamp and UUID
// (https://smithy.io/2.0/aws/amazon-eventstream.html).
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
	case 6, 7:
		if len(b) < 3 {
			return -1
		}
		return 2 + int(binary.BigEndian.Uint16(b[1:]))
	case 9:
		return 16
	}
	return -1
}

// eventKind returns the frame's :event-type where it is one to keep, else "".
// Headers are a length and a name, a type byte, and a value.
func eventKind(h []byte) string {
	for len(h) > 0 {
		n := int(h[0])
		if len(h) < 1+n+1 {
			return ""
		}
		name, typ, rest := h[1:1+n], h[1+n], h[2+n:]
		l := valueLen(h[1+n:])
		if l < 0 || len(rest) < l {
			return ""
		}
		if string(name) == ":event-type" && typ == 7 {
			switch string(rest[2:l]) {
			case eventMessageStop:
				return eventMessageStop
			case eventMetadata:
				return eventMetadata
			case eventChunk:
				return eventChunk
			}
			return ""
		}
		h = rest[l:]
	}
	return ""
}

// readChunk reads a chunk of InvokeModelWithResponseStream, whose payload is
// {"bytes":"…"}: the model's own JSON in base64. Most chunks are text, so it is
// parsed only where a word shows that it tells something about the call.
func (g *guard) readChunk(frame []byte, o *Outcome, t *tally) {
	if !o.Counted {
		t.into(o) // what the headers told
	}
	if len(frame) < preludeLen+sumLen {
		return
	}
	headers := binary.BigEndian.Uint32(frame[4:])
	payload := frame[preludeLen+headers : len(frame)-sumLen]
	const key = `"bytes":"`
	i := bytes.Index(payload, []byte(key))
	if i < 0 {
		return
	}
	text := payload[i+len(key):]
	j := bytes.IndexByte(text, '"')
	if j < 0 {
		return
	}
	body, err := base64.StdEncoding.AppendDecode(nil, text[:j])
	if err != nil {
		return
	}
	if telling(body) {
		g.readBody(body, o, t)
	}
}
