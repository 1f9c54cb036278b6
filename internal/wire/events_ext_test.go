package wire_test

import (
	"bytes"
	"errors"
	"net/http"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// streaming is a client whose every request is answered with events and then, unless
// it is empty, an exception.
func streaming(t *testing.T, events []wire.Event, exception string) *bedrockruntime.Client {
	return sdkClient(func(w http.ResponseWriter, _ *http.Request) {
		var body bytes.Buffer
		encoder := wire.NewEventEncoder()
		for _, event := range events {
			frame, err := encoder.Encode(event)
			if err != nil {
				t.Error(err)
			}
			body.Write(frame)
		}
		if exception != "" {
			frame, err := wire.ExceptionFrame(exception, "slow")
			if err != nil {
				t.Error(err)
			}
			body.Write(frame)
		}
		send(w, http.StatusOK, http.Header{"Content-Type": {wire.EventStreamType}}, body.Bytes())
	})
}

// The SDK reads back every event of a ConverseStream, and the exception after them.
func TestEventsAreEncoded(t *testing.T) {
	events := []wire.Event{
		&types.ConverseStreamOutputMemberMessageStart{Value: types.MessageStartEvent{Role: types.ConversationRoleAssistant}},
		&types.ConverseStreamOutputMemberContentBlockStart{Value: types.ContentBlockStartEvent{
			ContentBlockIndex: aws.Int32(0), Start: &types.ContentBlockStartMemberToolUse{Value: types.ToolUseBlockStart{Name: aws.String("x"), ToolUseId: aws.String("t")}},
		}},
		&types.ConverseStreamOutputMemberContentBlockDelta{Value: types.ContentBlockDeltaEvent{
			ContentBlockIndex: aws.Int32(0), Delta: &types.ContentBlockDeltaMemberText{Value: "é<&>"},
		}},
		&types.ConverseStreamOutputMemberContentBlockStop{Value: types.ContentBlockStopEvent{ContentBlockIndex: aws.Int32(0)}},
		&types.ConverseStreamOutputMemberMessageStop{Value: types.MessageStopEvent{StopReason: types.StopReasonEndTurn}},
		&types.ConverseStreamOutputMemberMetadata{Value: types.ConverseStreamMetadataEvent{
			Usage: &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(2), TotalTokens: aws.Int32(3)}, Metrics: &types.ConverseStreamMetrics{LatencyMs: aws.Int64(1)},
		}},
	}
	out, err := streaming(t, events, "throttlingException").ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String("m")})
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	n := 0
	for have := range stream.Events() {
		if n < len(events) && !reflect.DeepEqual(any(have), any(events[n])) {
			t.Errorf("event %d: %#v, want %#v", n, have, events[n])
		}
		n++
	}
	var throttled *types.ThrottlingException
	if err := stream.Err(); n != len(events) || !errors.As(err, &throttled) || *throttled.Message != "slow" {
		t.Errorf("%d events, %v", n, err)
	}
	_ = stream.Close()
}

func TestChunksAreEncoded(t *testing.T) {
	chunk := &types.ResponseStreamMemberChunk{Value: types.PayloadPart{Bytes: []byte(`{"a":1}`)}}
	out, err := streaming(t, []wire.Event{chunk}, "").InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String("m"), Body: []byte("{}")})
	if err != nil {
		t.Fatal(err)
	}
	stream := out.GetStream()
	if have := <-stream.Events(); !reflect.DeepEqual(have, types.ResponseStream(chunk)) {
		t.Errorf("%#v", have)
	}
	_ = stream.Close()
}

// Only an event of a Bedrock stream has a frame.
func TestForeignEvents(t *testing.T) {
	if frame, err := wire.NewEventEncoder().Encode(&bedrockruntime.ConverseOutput{}); err == nil {
		t.Errorf("%q", frame)
	}
}

func TestEventJSON(t *testing.T) {
	name, body, err := wire.EventJSON(&types.ConverseStreamOutputMemberMessageStart{Value: types.MessageStartEvent{Role: types.ConversationRoleAssistant}})
	if err != nil || name != "messageStart" || string(body) != `{"role":"assistant"}` {
		t.Errorf("%s %s %v", name, body, err)
	}
}

// The chunk of a bidirectional request is as strict as a request.
func TestInputChunk(t *testing.T) {
	chunk := func(payload string, more ...string) []byte {
		return frameOf(t, payload, append([]string{":event-type", "chunk", ":message-type", "event", ":content-type", "application/json"}, more...)...)
	}
	if have, err := wire.DecodeInputChunk(chunk(`{"bytes":"eA=="}`)); err != nil || string(have) != "x" {
		t.Errorf("%q, %v", have, err)
	}
	whole := sdkFrame(t, schemas.InvokeModelWithBidirectionalStreamInput, schemas.InvokeModelWithBidirectionalStreamInput_chunk,
		&types.InvokeModelWithBidirectionalStreamInputMemberChunk{Value: types.BidirectionalInputPayloadPart{Bytes: []byte("x")}})
	if have, err := wire.DecodeInputChunk(whole); err != nil || string(have) != "x" {
		t.Errorf("the SDK's: %q, %v", have, err)
	}
	for name, frame := range map[string][]byte{
		"half a frame":      whole[:10],
		"two frames":        append(bytes.Clone(whole), whole...),
		"another event":     frameOf(t, `{"bytes":"eA=="}`, ":event-type", "prompt", ":message-type", "event"),
		"an exception":      frameOf(t, `{"bytes":"eA=="}`, ":event-type", "chunk", ":message-type", "exception"),
		"no type":           frameOf(t, `{"bytes":"eA=="}`),
		"another header":    chunk(`{"bytes":"eA=="}`, "x-guardrail", "g"),
		"another content":   frameOf(t, `{"bytes":"eA=="}`, ":event-type", "chunk", ":message-type", "event", ":content-type", "text/plain"),
		"an unknown member": chunk(`{"bytes":"eA==","p":"x"}`),
		"a member twice":    chunk(`{"bytes":"eA==","bytes":"eA=="}`),
		"no base64":         chunk(`{"bytes":"?"}`),
		"trailing bytes":    chunk(`{"bytes":"eA=="} {}`),
		"nothing":           chunk(``),
	} {
		have, err := wire.DecodeInputChunk(frame)
		var refusal *wire.Error
		if !errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest {
			t.Errorf("%s: %q, %v", name, have, err)
		}
	}
}

// An exception keeps the members that it has beside its message.
func TestExceptionsKeepTheirMembers(t *testing.T) {
	want := &types.ModelStreamErrorException{Message: aws.String("m"), OriginalMessage: aws.String("o"), OriginalStatusCode: aws.Int32(529)}
	payload, err := wire.EncodeBody(want)
	if err != nil {
		t.Fatal(err)
	}
	frame, err := wire.ExceptionFrameOf("modelStreamErrorException", payload)
	if err != nil {
		t.Fatal(err)
	}
	out, err := sdkStream(t, frame).ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String("m")})
	if err != nil {
		t.Fatal(err)
	}
	for range out.GetStream().Events() {
	}
	var have *types.ModelStreamErrorException
	if err := out.GetStream().Err(); !errors.As(err, &have) || !reflect.DeepEqual(have, want) {
		t.Errorf("%v", err)
	}
}
