package wire

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/eventstream"
)

// A frame of the AWS event stream encoding: the lengths of the frame and of its
// headers, the sum of both, the headers, the payload, and the sum of all
// (docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html).
const preludeLen, sumLen = 12, 4

// appendPlainFrame appends the frame of an event of which streams are made: a text
// delta or a chunk. It returns false for every other event, and for a text that the
// SDK's encoder writes in another way. TestFramesAreTheSDKs holds the bytes against
// the SDK's.
func appendPlainFrame(dst []byte, event Event) ([]byte, bool) {
	switch event := event.(type) {
	case *types.ConverseStreamOutputMemberContentBlockDelta:
		if event == nil || event.Value.ContentBlockIndex == nil {
			return dst, false
		}
		text, ok := event.Value.Delta.(*types.ContentBlockDeltaMemberText)
		if !ok || text == nil {
			return dst, false
		}
		start := len(dst)
		out := beginFrame(dst, "contentBlockDelta")
		out = append(out, `{"contentBlockIndex":`...)
		out = strconv.AppendInt(out, int64(*event.Value.ContentBlockIndex), 10)
		out = append(out, `,"delta":{"text":`...)
		if out, ok = appendString(out, text.Value); !ok {
			return dst, false
		}
		return endFrame(append(out, `}}`...), start), true
	case *types.ResponseStreamMemberChunk:
		if event != nil {
			return appendChunk(dst, event.Value.Bytes)
		}
	case *types.InvokeModelWithBidirectionalStreamOutputMemberChunk:
		if event != nil {
			return appendChunk(dst, event.Value.Bytes)
		}
	}
	return dst, false
}

func appendChunk(dst, chunk []byte) ([]byte, bool) {
	if chunk == nil {
		return dst, false
	}
	start := len(dst)
	dst = append(beginFrame(dst, "chunk"), `{"bytes":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, chunk)
	return endFrame(append(dst, `"}`...), start), true
}

// beginFrame appends a prelude without its figures, and the headers in the SDK's order.
func beginFrame(dst []byte, event string) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, preludeLen)...)
	dst = appendHeader(dst, eventstream.EventTypeHeader, event)
	dst = appendHeader(dst, eventstream.MessageTypeHeader, eventstream.EventMessageType)
	dst = appendHeader(dst, eventstream.ContentTypeHeader, "application/json")
	binary.BigEndian.PutUint32(dst[start+4:], uint32(len(dst)-start-preludeLen))
	return dst
}

// appendHeader appends a header of a string, which is the type 7.
func appendHeader(dst []byte, name, value string) []byte {
	dst = append(append(dst, byte(len(name))), name...)
	dst = binary.BigEndian.AppendUint16(append(dst, 7), uint16(len(value)))
	return append(dst, value...)
}

// endFrame fills in the figures of the frame that begins at start.
func endFrame(dst []byte, start int) []byte {
	frame := dst[start:]
	binary.BigEndian.PutUint32(frame, uint32(len(frame)+sumLen))
	binary.BigEndian.PutUint32(frame[8:], crc32.ChecksumIEEE(frame[:8]))
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(frame))
}

// appendString appends a JSON string as the SDK writes one; false for a text that is
// not valid UTF-8, which the SDK repairs.
func appendString(dst []byte, s string) ([]byte, bool) {
	if !utf8.ValidString(s) {
		return dst, false
	}
	dst = append(dst, '"')
	done := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f && c != 0xe2 {
			continue
		}
		if c == 0xe2 && (s[i+1] != 0x80 || s[i+2]&^1 != 0xa8) {
			continue // not U+2028 or U+2029
		}
		dst = append(dst, s[done:i]...)
		done = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case 0xe2:
			dst = append(dst, '\\', 'u', '2', '0', '2', s[i+2]-0xa8+'8')
			done = i + 3
		default:
			const hex = "0123456789abcdef"
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&0xf])
		}
	}
	return append(append(dst, s[done:]...), '"'), true
}
