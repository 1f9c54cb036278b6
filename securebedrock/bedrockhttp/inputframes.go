package bedrockhttp

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"

	"github.com/aws/smithy-go/eventstream"
)

// maxInputFrame bounds a frame of a bidirectional request. Bedrock takes at most
// 1,000,000 bytes in an event, which Base64 and two signed frames make longer. The
// SDK's decoder (smithy-go v1.28.8) has no bound of its own.
const maxInputFrame = 2 << 20

// framedBody passes on a body of whole frames. It gives io.EOF between two frames alone.
type framedBody struct {
	r    io.Reader
	head [4]byte // the length of the frame
	n    int     // of head, passed on
	left uint32  // of the frame, head included
	end  bool    // r has ended between two frames
}

func errFrameLength() error {
	return errors.New("a frame's length makes no sense, or is over the bound")
}

// Read implements io.Reader.
func (f *framedBody) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if f.left == 0 {
		if _, err := io.ReadFull(f.r, f.head[:]); err != nil {
			f.end = err == io.EOF
			return 0, err
		}
		f.n, f.left = 0, binary.BigEndian.Uint32(f.head[:])
		if f.left < 16 || f.left > maxInputFrame {
			f.left = 0
			return 0, errFrameLength()
		}
	}
	if f.n < len(f.head) {
		n := copy(p, f.head[f.n:])
		f.n += n
		f.left -= uint32(n)
		return n, nil
	}
	n, err := f.r.Read(p[:min(len(p), int(f.left))])
	f.left -= uint32(n)
	if err == io.EOF {
		if err = io.ErrUnexpectedEOF; f.left == 0 {
			err = nil // and io.EOF at the next Read
		}
	}
	return n, err
}

// unverifiedFrames reads frames whose signatures nobody here can verify: those of a
// Transport's request, and of a Handler's request without a signature.
type unverifiedFrames struct{ body *framedBody }

// Next implements frameSource.
func (f *unverifiedFrames) Next(context.Context) ([]byte, error) {
	msg, err := eventstream.NewDecoder().Decode(f.body, nil)
	switch {
	case f.body.end && f.body.left == 0 && errors.Is(err, io.EOF):
		return nil, io.EOF
	case err != nil:
		return nil, noEOF(err) // the decoder calls malformed headers io.EOF, too
	}
	signed := msg.Headers.Get(eventstream.ChunkSignatureHeader) != nil
	switch {
	case signed && len(msg.Payload) == 0: // the end, which is signed, too
		return nil, io.EOF
	case signed:
		return msg.Payload, nil
	}
	// A caller with a bearer token signs no frames.
	var frame bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&frame, msg); err != nil {
		return nil, noEOF(err)
	}
	return frame.Bytes(), nil
}

// noEOF keeps the end of a frame from being taken for the end of the input.
func noEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
