package securebedrock

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/eventstream"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
)

func streamSchemas() []*smithy.Schema {
	return []*smithy.Schema{schemas.ConverseStreamOutput, schemas.ResponseStream, schemas.InvokeModelWithBidirectionalStreamOutput}
}

// decodesAlike reads a stream to its end with the SDK's decoder and with ours, in
// pieces of several sizes, and demands the same values and the same error.
func decodesAlike(t *testing.T, stream []byte) {
	t.Helper()
	for _, schema := range streamSchemas() {
		theirs, ours := restjson1.New(schemas.AmazonBedrockFrontendService), newEventCodec()
		want := bytes.NewReader(stream)
		readers := []io.Reader{
			bytes.NewReader(stream), iotest.HalfReader(bytes.NewReader(stream)), iotest.DataErrReader(bytes.NewReader(stream)),
		}
		for range 64 {
			value, err := theirs.DeserializeEventMessage(schema, bedrockruntime.TypeRegistry, want)
			for i, r := range readers {
				got, gotErr := ours.DeserializeEventMessage(schema, bedrockruntime.TypeRegistry, r)
				if !reflect.DeepEqual(got, value) {
					t.Fatalf("reader %d of %s: got %s, want %s\nof %q", i, schema.ID().Name, shown(got), shown(value), stream)
				}
				if fmt.Sprintf("%T %v", gotErr, gotErr) != fmt.Sprintf("%T %v", err, err) {
					t.Fatalf("reader %d of %s: got %v, want %v\nof %q", i, schema.ID().Name, gotErr, err, stream)
				}
			}
			if err != nil {
				break
			}
		}
	}
}

func shown(v any) string {
	if d, ok := v.(*types.ContentBlockDeltaEvent); ok {
		return fmt.Sprintf("%v %#v", d.ContentBlockIndex, d.Delta)
	}
	return fmt.Sprintf("%#v", v)
}

func frameOf(t testing.TB, kind, payload string, odd int) []byte {
	t.Helper()
	m := eventstream.Message{Payload: []byte(payload)}
	m.Headers.Set(eventstream.EventTypeHeader, eventstream.StringValue(kind))
	m.Headers.Set(eventstream.ContentTypeHeader, eventstream.StringValue("application/json"))
	m.Headers.Set(eventstream.MessageTypeHeader, eventstream.StringValue("event"))
	switch odd {
	case 1:
		m.Headers.Del(eventstream.ContentTypeHeader)
	case 2:
		m.Headers.Del(eventstream.MessageTypeHeader)
	case 3:
		m.Headers.Set(eventstream.MessageTypeHeader, eventstream.StringValue("exception"))
	case 4:
		m.Headers.Set(eventstream.EventTypeHeader, eventstream.BytesValue(kind))
	case 5:
		m.Headers.Set("x", eventstream.Int32Value(7))
	case 6:
		m.Headers.Set(eventstream.MessageTypeHeader, eventstream.StringValue("error"))
	case 7:
		m.Headers.Set(eventstream.ExceptionTypeHeader, eventstream.StringValue("throttlingException"))
		m.Headers.Set(eventstream.MessageTypeHeader, eventstream.StringValue("exception"))
	}
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		t.Skip(err) // a name of more than 255 bytes
	}
	frame := b.Bytes()
	switch odd {
	case 8: // a wrong sum of the lengths
		frame[9] ^= 1
	case 9: // a wrong sum of the frame
		frame[len(frame)-1] ^= 1
	case 10: // no sum
		frame = frame[:len(frame)-4]
	case 11: // another payload than the sum was made of
		if len(payload) > 0 {
			frame[len(frame)-5] ^= 1
		}
	}
	return frame
}

// eventsOfEveryKind are payloads by event, as Bedrock writes them and odder.
func eventsOfEveryKind() map[string][]string {
	return map[string][]string{
		"messageStart":      {`{"role":"assistant","p":"abc"}`},
		"contentBlockStart": {`{"contentBlockIndex":1,"start":{"toolUse":{"toolUseId":"t1","name":"f"}}}`},
		"contentBlockStop":  {`{"contentBlockIndex":0,"p":"a"}`},
		"messageStop":       {`{"stopReason":"end_turn","additionalModelResponseFields":{"a":1}}`},
		"metadata":          {`{"usage":{"inputTokens":1,"outputTokens":2,"totalTokens":3},"metrics":{"latencyMs":5}}`},
		"new":               {`{"a":1}`},
		"chunk": {
			`{"bytes":"eyJhIjoxfQ==","p":"abc"}`, `{"p":"abc","bytes":"eyJhIjoxfQ=="}`, `{"bytes":""}`, `{"bytes":"eyJhIjoxfQ"}`, `{"bytes":"e yJ"}`,
			`{"bytes":"eyJhIjoxfQ==","bytes":"AA=="}`, `{"bytes":null}`, `{"bytes":7}`, `{"p":"a"}`, `{"bytes":"A\/=="}`, ` {"bytes":"AA=="}`, `{"bytes":"AA=="} `, `{"bytes":"AB=="}`, `{"bytes":"AA==","x":{"y":[1]}}`,
		},
		"contentBlockDelta": {
			`{"contentBlockIndex":0,"delta":{"text":"Hello"},"p":"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456"}`,
			`{"delta":{"text":"Hello"},"contentBlockIndex":0}`, `{"p":"a","delta":{"text":"Zürich 東京 😀"},"contentBlockIndex":12}`,
			`{"contentBlockIndex":0,"delta":{"text":"a\nb\t\"c\"\\\/\b\f\r"}}`, `{"contentBlockIndex":0,"delta":{"text":"\u00e9\ud83d\ude00\ud83d"}}`,
			`{"contentBlockIndex":0,"delta":{"text":"` + "\xff\xfe" + `"}}`, `{"contentBlockIndex":0,"delta":{"text":"a` + "\x01" + `"}}`, `{"contentBlockIndex":0,"delta":{"text":""}}`,
			`{"contentBlockIndex":0,"delta":{"text":"a\x"}}`, `{"contentBlockIndex":0,"delta":{"text":"a\"}}`, `{"contentBlockIndex":0,"delta":{"text":"a"`,
			`{"contentBlockIndex":0,"delta":{"text":"a"},"delta":{"text":"b"}}`, `{"contentBlockIndex":0,"contentBlockIndex":1,"delta":{"text":"b"}}`,
			`{"contentBlockIndex":0,"delta":{"text":"a","text":"b"}}`, `{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"a\":"}}}`, `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"hm"}}}`,
			`{"contentBlockIndex":0,"delta":{"citation":{"title":"t"}}}`, `{"contentBlockIndex":0,"delta":{}}`, `{"contentBlockIndex":0,"delta":null}`, `{"contentBlockIndex":null,"delta":{"text":"a"}}`,
			`{"contentBlockIndex":"0","delta":{"text":"a"}}`, `{"contentBlockIndex":1.5,"delta":{"text":"a"}}`, `{"contentBlockIndex":1e2,"delta":{"text":"a"}}`, `{"contentBlockIndex":-1,"delta":{"text":"a"}}`, `{"contentBlockIndex":00,"delta":{"text":"a"}}`,
			`{"contentBlockIndex":99999999999,"delta":{"text":"a"}}`, `{"contentBlockIndex":1234567,"delta":{"text":"a"}}`, `{"contentBlockIndex":123456,"delta":{"text":"a"}}`, `{"contentBlockIndex":0, "delta":{"text":"a"}}`, "{\"contentBlockIndex\":0,\n\"delta\":{\"text\":\"a\"}}",
			`{"delta":{"text":"a"}}`, `{"contentBlockIndex":0}`, `{}`, ``, `null`, `[]`, `{"contentBlockIndex":0,"delta":{"text":"a"}}{}`, `{"contentBlockIndex":0,"delta":{"text":"a"},}`, `{"contentBlockIndex":0,"delta":{"text":"a"},"x":1}`,
			`{"contentBlockIndex":0,"delta":{"text":7}}`, `{"contentBlockIndex":0,"delta":{"text":null}}`, `{"contentBlockIndex":0,"delta":{"text":"a"},"p":7}`, `{"contentBlockIndex":0,"delta":{"text":"a"},"p":"\u0041"}`, `{"contentBlockIndex":0,"delta":{"text":"a","x":1}}`,
			`{"ContentBlockIndex":0,"delta":{"text":"a"}}`, `{"contentBlockIndex":0,"delta":{"text":"` + strings.Repeat("long ", 200) + `"}}`,
		},
	}
}

func TestEventsDecodeAsTheSDK(t *testing.T) {
	for kind, payloads := range eventsOfEveryKind() {
		for _, payload := range payloads {
			for odd := range 12 {
				frame := frameOf(t, kind, payload, odd)
				decodesAlike(t, append(bytes.Clone(frame), frame...))
			}
		}
	}
	decodesAlike(t, frameOf(t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"`+strings.Repeat("long ", 20_000)+`"}}`, 0))
	whole := frameOf(t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Hello"}}`, 0)
	for end := range whole {
		decodesAlike(t, append(bytes.Clone(whole), whole[:end]...))
	}
	for i := range whole {
		other := bytes.Clone(whole)
		other[i] ^= 0x41
		decodesAlike(t, other)
	}
}

// TestQuickEvents fails where the events of which streams are made take the long way.
func TestQuickEvents(t *testing.T) {
	p := newEventCodec()
	for name, c := range map[string]struct {
		schema  *smithy.Schema
		kind    string
		payload string
		most    float64
	}{
		"a text delta":            {schemas.ConverseStreamOutput, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Hello, world."},"p":"abcdef"}`, 3},
		"a text delta of escapes": {schemas.ConverseStreamOutput, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Hello,\nworld."},"p":"abcdef"}`, 4},
		"a chunk":                 {schemas.ResponseStream, "chunk", `{"bytes":"eyJhIjoxfQ==","p":"abcdef"}`, 3},
		"a bidirectional chunk":   {schemas.InvokeModelWithBidirectionalStreamOutput, "chunk", `{"bytes":"eyJhIjoxfQ=="}`, 3},
	} {
		t.Run(name, func(t *testing.T) {
			frame := frameOf(t, c.kind, c.payload, 0)
			r := bytes.NewReader(nil)
			n := testing.AllocsPerRun(200, func() {
				r.Reset(frame)
				if _, err := p.DeserializeEventMessage(c.schema, bedrockruntime.TypeRegistry, r); err != nil {
					t.Fatal(err)
				}
			})
			if n > c.most && !raceEnabled {
				t.Errorf("%.1f allocations, want at most %.0f", n, c.most)
			}
		})
	}
}

func TestAnEventsErrorIsTheReaders(t *testing.T) {
	frame := frameOf(t, "contentBlockDelta", `{"contentBlockIndex":0,"delta":{"text":"Hello"}}`, 0)
	own := errors.New("own")
	for end := range frame {
		_, err := newEventCodec().DeserializeEventMessage(schemas.ConverseStreamOutput, bedrockruntime.TypeRegistry,
			io.MultiReader(bytes.NewReader(frame[:end]), iotest.ErrReader(own)))
		if !errors.Is(err, own) {
			t.Fatalf("after %d bytes: %v", end, err)
		}
	}
}

func FuzzEventsDecodeAsTheSDK(f *testing.F) {
	for kind, payloads := range eventsOfEveryKind() {
		for i, payload := range payloads {
			f.Add(kind, payload, uint8(i))
			f.Add(kind, payload, uint8(0))
		}
	}
	f.Fuzz(func(t *testing.T, kind, payload string, odd uint8) {
		frame := frameOf(t, kind, payload, int(odd%12))
		decodesAlike(t, append(bytes.Clone(frame), frame...))
	})
}

func FuzzStreamsDecodeAsTheSDK(f *testing.F) {
	for kind, payloads := range eventsOfEveryKind() {
		var stream []byte
		for i, payload := range payloads {
			if len(payload) < 1000 {
				stream = append(stream, frameOf(f, kind, payload, i%2)...)
			}
		}
		f.Add(stream)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		decodesAlike(t, stream)
	})
}
