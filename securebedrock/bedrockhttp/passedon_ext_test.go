package bedrockhttp_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// stepwise is a Bedrock whose stream goes on by one event for each receive from step.
func stepwise(t *testing.T, proto string, events []wire.Event, step chan struct{}) *securebedrock.Client {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", wire.EventStreamType)
		encoder, control := wire.NewEventEncoder(), http.NewResponseController(w)
		for _, event := range events {
			select {
			case <-step:
			case <-r.Context().Done():
				return
			}
			frame, err := encoder.Encode(event)
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = w.Write(frame)
			_ = control.Flush()
		}
	}))
	srv.EnableHTTP2 = proto == "h2"
	srv.StartTLS()
	t.Cleanup(srv.Close)
	c, err := securebedrock.NewFromConfig(aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("AKIDEXAMPLE", "secret", ""), HTTPClient: srv.Client(),
	}, securebedrock.Options{
		Region: "us-east-1", Endpoint: securebedrock.Endpoint{URL: srv.URL},
		Guardrail: securebedrock.Guardrail{ID: bedrocktest.DefaultGuardrailID, Version: "1"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// An event is the caller's as soon as it has arrived: the caller reads event n while the
// upstream holds event n+1. A door that waits for more would wait for ever here.
func TestEventsArePassedOnAtOnce(t *testing.T) {
	delta := func(i int) wire.Event {
		return &types.ConverseStreamOutputMemberContentBlockDelta{Value: types.ContentBlockDeltaEvent{ContentBlockIndex: aws.Int32(0),
			Delta: &types.ContentBlockDeltaMemberText{Value: fmt.Sprintf("word %d", i)}}}
	}
	conversation := []wire.Event{&types.ConverseStreamOutputMemberMessageStart{Value: types.MessageStartEvent{Role: types.ConversationRoleAssistant}}}
	chunks := []wire.Event{}
	for i := range 20 {
		conversation = append(conversation, delta(i))
		chunks = append(chunks, &types.ResponseStreamMemberChunk{Value: types.PayloadPart{Bytes: fmt.Appendf(nil, `{"type":"ping","n":%d}`, i)}})
	}
	conversation = append(conversation,
		&types.ConverseStreamOutputMemberMessageStop{Value: types.MessageStopEvent{StopReason: types.StopReasonEndTurn}},
		&types.ConverseStreamOutputMemberMetadata{Value: types.ConverseStreamMetadataEvent{
			Usage: &types.TokenUsage{InputTokens: aws.Int32(1), OutputTokens: aws.Int32(2), TotalTokens: aws.Int32(3)}, Metrics: &types.ConverseStreamMetrics{LatencyMs: aws.Int64(1)}}})
	for _, proto := range []string{"h1", "h2"} {
		step := make(chan struct{})
		for _, e := range entries(t, stepwise(t, proto, conversation, step)) {
			t.Run("ConverseStream, upstream "+proto+", "+e.name, func(t *testing.T) {
				// The upstream sends its head with the first event.
				go func() { step <- struct{}{} }()
				out, err := e.sdk().ConverseStream(t.Context(), converseStream("hello"))
				if err != nil {
					t.Fatal(err)
				}
				lockstep(t, out.GetStream().Events(), out.GetStream(), len(conversation), step)
			})
		}
		step = make(chan struct{})
		for _, e := range entries(t, stepwise(t, proto, chunks, step)) {
			t.Run("InvokeModelWithResponseStream, upstream "+proto+", "+e.name, func(t *testing.T) {
				go func() { step <- struct{}{} }()
				out, err := e.sdk().InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{
					ModelId: aws.String(haiku), Body: invokeBody("hello"), ContentType: aws.String("application/json")})
				if err != nil {
					t.Fatal(err)
				}
				lockstep(t, out.GetStream().Events(), out.GetStream(), len(chunks), step)
			})
		}
	}
}

// lockstep reads each of n events before it lets the upstream send the next one.
func lockstep[E any](t *testing.T, events <-chan E, stream interface {
	Err() error
	Close() error
}, n int, step chan struct{}) {
	t.Helper()
	defer stream.Close()
	for i := range n {
		if i > 0 {
			select {
			case step <- struct{}{}:
			case <-t.Context().Done():
				t.Fatal("the upstream has gone")
			}
		}
		if _, ok := <-events; !ok {
			t.Fatalf("the stream ends before event %d: %v", i, stream.Err())
		}
	}
	if _, ok := <-events; ok || stream.Err() != nil {
		t.Errorf("after the last event: %v", stream.Err())
	}
}

// The door's answer to a stream begins with the stream, and one Read gives one event.
func TestTransportReadsOneEventAtATime(t *testing.T) {
	step := make(chan struct{})
	events := []wire.Event{
		&types.ResponseStreamMemberChunk{Value: types.PayloadPart{Bytes: []byte(`{"n":1}`)}},
		&types.ResponseStreamMemberChunk{Value: types.PayloadPart{Bytes: []byte(`{"n":2}`)}},
	}
	e := entries(t, stepwise(t, "h2", events, step))[0]
	go func() { step <- struct{}{} }()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, e.url+"/model/"+haiku+"/invoke-with-response-stream", strings.NewReader(string(invokeBody("hello"))))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := e.http.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	buf := make([]byte, 1<<16)
	n, err := resp.Body.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	want, err := wire.NewEventEncoder().Encode(events[0])
	if err != nil {
		t.Fatal(err)
	}
	if string(buf[:n]) != string(want) {
		t.Errorf("the first Read gives %d bytes, the first event has %d", n, len(want))
	}
	step <- struct{}{}
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) != len(want) {
		t.Errorf("the rest has %d bytes, want %d: %v", len(rest), len(want), err)
	}
}
