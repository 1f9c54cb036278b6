package wire_test

import (
	"bytes"
	"errors"
	"net/http"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/eventstream"

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

func TestInputChunk(t *testing.T) {
	var frame bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&frame, eventstream.Message{Payload: []byte(`{"bytes":"eA=="}`)}); err != nil {
		t.Fatal(err)
	}
	if chunk, err := wire.DecodeInputChunk(frame.Bytes()); err != nil || string(chunk) != "x" {
		t.Errorf("%q, %v", chunk, err)
	}
	if _, err := wire.DecodeInputChunk(frame.Bytes()[:10]); err == nil {
		t.Error("half a frame is taken")
	}
}
