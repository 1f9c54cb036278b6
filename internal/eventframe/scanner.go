// Package eventframe reads the frames of application/vnd.amazon.eventstream
// (https://smithy.io/2.0/aws/amazon-eventstream.html). A Scanner follows the frames of
// a stream as they pass. A Buffer reads one frame, and a Frame decodes the two events
// of which Bedrock's streams are made: a text delta and a chunk.
//
// A frame is its total length, its headers' length and a sum of both in 12 bytes, then
// the headers, the payload, and a sum of it all in 4 bytes.
package eventframe

import "encoding/binary"

// The events that a Scanner keeps.
const (
	MessageStop = "messageStop"
	Metadata    = "metadata"
	Chunk       = "chunk"
)

// MaxFrame bounds a frame. The SDK's decoder has no bound of its own (smithy-go
// v1.28.8): it would read a frame of 4 GiB into memory.
const MaxFrame = 24 << 20

// maxKept bounds a frame's headers, and the memory that is kept from one frame to
// the next. A frame that is kept has no other bound than MaxFrame: a guardrail trace,
// which proves what was applied, has none of its own.
const maxKept = 1 << 20

const preludeLen, sumLen = 12, 4

// Scanner follows frames as they pass. It keeps a frame only where its event's name
// asks for it, and checks no sums, which is the decoder's work. The zero value begins
// a stream.
type Scanner struct {
	// OnEvent is given each frame's kind, empty but for the events above, and the
	// frame itself where it is kept. The frame is valid during the call.
	OnEvent func(kind string, frame []byte)
	// All keeps every frame.
	All bool

	kept    []byte // the frame's beginning, or all of it
	pos     uint32 // bytes of the frame that have passed
	total   uint32 // zero until the prelude is complete
	headers uint32
	kind    string
	skip    bool // the rest of the frame is not kept
	lost    bool
}

// Between reports whether the last byte seen ended a frame.
func (s *Scanner) Between() bool { return s.pos == 0 && !s.lost }

// Lost reports whether the framing makes no sense. A Scanner that is lost looks no
// further.
func (s *Scanner) Lost() bool { return s.lost }

// Feed looks at what came and returns how much of it may be passed on: all, or what
// stands before the frame that makes no sense.
func (s *Scanner) Feed(b []byte) (sound int) {
	for len(b) > 0 && !s.lost {
		var want uint32 // up to where the frame is of interest now
		switch {
		case s.total == 0:
			want = preludeLen
		case s.pos < preludeLen+s.headers:
			want = preludeLen + s.headers
		default:
			want = s.total
		}
		n := int(min(uint64(want-s.pos), uint64(len(b))))
		if !s.skip {
			s.kept = append(s.kept, b[:n]...)
		}
		s.pos += uint32(n)
		b = b[n:]
		if s.pos == want {
			s.reached()
		}
		if !s.lost {
			sound += n
		}
	}
	return sound
}

// reached is called at the end of the prelude, of the headers, and of the frame.
func (s *Scanner) reached() {
	if s.total == 0 {
		total, headers := binary.BigEndian.Uint32(s.kept), binary.BigEndian.Uint32(s.kept[4:])
		if total < preludeLen+sumLen || total > MaxFrame || headers > total-preludeLen-sumLen || headers > maxKept {
			s.lost = true
			return
		}
		s.total, s.headers = total, headers
		if headers > 0 {
			return
		}
	}
	if s.pos == preludeLen+s.headers && s.pos < s.total {
		s.kind = kindOf(s.kept[preludeLen:s.pos])
		s.skip = s.kind == "" && !s.All
		return
	}
	if s.pos == s.total {
		var frame []byte
		if !s.skip {
			frame = s.kept
		}
		s.OnEvent(s.kind, frame)
		s.reset()
	}
}

func (s *Scanner) reset() {
	if cap(s.kept) > maxKept {
		s.kept = nil
	}
	s.kept, s.pos, s.total, s.headers, s.kind, s.skip = s.kept[:0], 0, 0, 0, "", false
}

// Payload is the payload of a whole frame; nil where the lengths make no sense.
func Payload(frame []byte) []byte {
	if len(frame) < preludeLen+sumLen {
		return nil
	}
	headers := binary.BigEndian.Uint32(frame[4:])
	if uint64(headers) > uint64(len(frame)-preludeLen-sumLen) {
		return nil
	}
	return frame[preludeLen+headers : len(frame)-sumLen]
}
