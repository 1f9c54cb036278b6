package eventframe_test

import (
	"bytes"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/eventstream"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/securebedrock/securebedrock-go/internal/eventframe"
)

// Whatever comes, in whatever pieces, the scanner sees the frames that the SDK's
// decoder sees, and keeps no more than its bound.
func FuzzFrameScanner(f *testing.F) {
	p := restjson1.New(schemas.AmazonBedrockFrontendService)
	var b bytes.Buffer
	seed := func(err error) {
		if err != nil {
			f.Fatal(err)
		}
	}
	seed(p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStart, &types.MessageStartEvent{Role: types.ConversationRoleAssistant}, &b))
	f.Add(b.Bytes(), 1)
	seed(p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStop, &types.MessageStopEvent{StopReason: types.StopReasonEndTurn}, &b))
	seed(p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_metadata, &types.ConverseStreamMetadataEvent{Usage: &types.TokenUsage{}}, &b))
	f.Add(b.Bytes(), 7)
	f.Add(b.Bytes()[:b.Len()-3], 100)
	f.Add([]byte{0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0}, 3)
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0}, 3)
	f.Fuzz(func(t *testing.T, stream []byte, piece int) {
		if piece <= 0 || piece > 4096 {
			piece = 1
		}
		var kinds []string
		var s eventframe.Scanner
		s.OnEvent = func(kind string, frame []byte) {
			if len(frame) > eventframe.MaxFrame {
				t.Errorf("a frame of %d bytes was kept", len(frame))
			}
			kinds = append(kinds, kind)
		}
		passed := 0
		for rest := stream; len(rest) > 0 && !s.Lost(); {
			n := min(piece, len(rest))
			sound := s.Feed(rest[:n])
			if sound < 0 || sound > n || sound < n && !s.Lost() {
				t.Fatalf("%d of %d bytes passed, lost %v", sound, n, s.Lost())
			}
			passed += sound
			rest = rest[n:]
		}
		// The SDK's decoder agrees on every frame that it accepts.
		dec, r := eventstream.NewDecoder(), bytes.NewReader(stream[:passed])
		for i := 0; ; i++ {
			m, err := dec.Decode(r, nil)
			if err != nil {
				return
			}
			if i >= len(kinds) {
				t.Fatalf("the decoder sees frame %d and the scanner does not", i)
			}
			if v := m.Headers.Get(":event-type"); v != nil && allStrings(m) {
				if name, ok := v.(eventstream.StringValue); ok && wanted(string(name)) && kinds[i] != string(name) {
					t.Fatalf("frame %d is %q and was taken for %q", i, name, kinds[i])
				}
			}
		}
	})
}

func wanted(kind string) bool {
	return kind == eventframe.MessageStop || kind == eventframe.Metadata || kind == eventframe.Chunk
}

func allStrings(m eventstream.Message) bool {
	names := map[string]bool{}
	for _, h := range m.Headers {
		if _, ok := h.Value.(eventstream.StringValue); !ok || names[h.Name] {
			return false
		}
		names[h.Name] = true
	}
	return true
}
