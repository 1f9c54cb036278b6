package wire_test

import (
	"bytes"
	"context"
	"net/http"
	"reflect"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// answerTypes are the outputs that are an answer of their own, with the call that reads
// each. The outputs of streams hold headers and a stream.
func answerTypes() map[any]func(ctx context.Context, c *bedrockruntime.Client) (any, error) {
	m := aws.String("m")
	return map[any]func(ctx context.Context, c *bedrockruntime.Client) (any, error){
		&bedrockruntime.ConverseOutput{}: func(ctx context.Context, c *bedrockruntime.Client) (any, error) {
			return c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: m})
		},
		&bedrockruntime.InvokeModelOutput{}: func(ctx context.Context, c *bedrockruntime.Client) (any, error) {
			return c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: m})
		},
		&bedrockruntime.CountTokensOutput{}: func(ctx context.Context, c *bedrockruntime.Client) (any, error) {
			return c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: m, Input: &types.CountTokensInputMemberConverse{}})
		},
		&bedrockruntime.ApplyGuardrailOutput{}: func(ctx context.Context, c *bedrockruntime.Client) (any, error) {
			return c.ApplyGuardrail(ctx, &bedrockruntime.ApplyGuardrailInput{GuardrailIdentifier: m, GuardrailVersion: m, Source: "x", Content: []types.GuardrailContentBlock{}})
		},
		&bedrockruntime.InvokeGuardrailChecksOutput{}: func(ctx context.Context, c *bedrockruntime.Client) (any, error) {
			return c.InvokeGuardrailChecks(ctx, &bedrockruntime.InvokeGuardrailChecksInput{Messages: []types.GuardrailChecksMessage{}, Checks: &types.GuardrailChecksConfig{}})
		},
		&bedrockruntime.StartAsyncInvokeOutput{}: func(ctx context.Context, c *bedrockruntime.Client) (any, error) {
			in := newGenerator(2).input(&bedrockruntime.StartAsyncInvokeInput{}).(*bedrockruntime.StartAsyncInvokeInput)
			in.ModelId, in.Tags, in.ModelInput = m, nil, document.NewLazyDocument(map[string]any{})
			in.OutputDataConfig = &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: m}}
			return c.StartAsyncInvoke(ctx, in)
		},
		&bedrockruntime.GetAsyncInvokeOutput{}: func(ctx context.Context, c *bedrockruntime.Client) (any, error) {
			return c.GetAsyncInvoke(ctx, &bedrockruntime.GetAsyncInvokeInput{InvocationArn: m})
		},
		&bedrockruntime.ListAsyncInvokesOutput{}: func(ctx context.Context, c *bedrockruntime.Client) (any, error) {
			return c.ListAsyncInvokes(ctx, &bedrockruntime.ListAsyncInvokesInput{})
		},
	}
}

// answer returns a random value of the SDK that Encode takes. What is refused is a
// union that has no member where the API requires one.
func (g *generator) answer(like any) (any, http.Header, []byte) {
	for {
		out := g.value(like)
		if invoke, ok := out.(*bedrockruntime.InvokeModelOutput); ok {
			invoke.Body, invoke.ContentType = []byte(g.text()+"x"), aws.String(g.word()+"/"+g.word()) // the SDK reads no empty body and has a default
		}
		if header, body, err := wire.Encode(out.(smithy.Serializable)); err == nil {
			return out, header, body
		}
	}
}

// The SDK reads every answer that Encode writes as the same output.
func TestOutputsRoundTrip(t *testing.T) {
	n := 2000
	if testing.Short() {
		n = 200
	}
	for like, call := range answerTypes() {
		t.Run(reflect.TypeOf(like).Elem().Name(), func(t *testing.T) {
			t.Parallel()
			for seed := range n {
				want, header, body := newGenerator(uint64(seed)).answer(like)
				have, err := call(t.Context(), sdkClient(func(w http.ResponseWriter, _ *http.Request) { send(w, http.StatusOK, header, body) }))
				if err != nil {
					t.Fatalf("seed %d: %v\n%s", seed, err, body)
				}
				sameValue(t, reflect.ValueOf(have), reflect.ValueOf(want), reflect.TypeOf(want).Elem().Name())
				if t.Failed() {
					t.Fatalf("seed %d: %v %s", seed, header, body)
				}
			}
		})
	}
}

// eventTypes are the members of the streams that the SDK reads.
func eventTypes() []any {
	return []any{
		&types.ConverseStreamOutputMemberMessageStart{}, &types.ConverseStreamOutputMemberContentBlockStart{}, &types.ConverseStreamOutputMemberContentBlockDelta{},
		&types.ConverseStreamOutputMemberContentBlockStop{}, &types.ConverseStreamOutputMemberMessageStop{}, &types.ConverseStreamOutputMemberMetadata{},
	}
}

// The SDK reads every event that AppendEvent writes as the same event.
func TestEventsRoundTrip(t *testing.T) {
	n := 3000
	if testing.Short() {
		n = 300
	}
	var events []wire.Event
	var body []byte
	encoder := wire.NewEventEncoder()
	for seed := range n {
		g := newGenerator(uint64(seed))
		event := g.value(eventTypes()[seed%len(eventTypes())])
		if frame, err := encoder.AppendEvent(body, event); err == nil {
			events, body = append(events, event), frame
		}
	}
	if len(events) < n/2 {
		t.Fatalf("%d events of %d", len(events), n)
	}
	out, err := sdkStream(t, body).ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String("m")})
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for have := range out.GetStream().Events() {
		if i < len(events) {
			sameValue(t, reflect.ValueOf(have), reflect.ValueOf(events[i]), reflect.TypeOf(events[i]).Elem().Name())
		}
		i++
	}
	if err := out.GetStream().Err(); err != nil || i != len(events) {
		t.Errorf("%d events of %d, %v", i, len(events), err)
	}
}

// The chunks of the other two streams likewise.
func TestChunksRoundTrip(t *testing.T) {
	var body []byte
	var want [][]byte
	encoder := wire.NewEventEncoder()
	for seed := range 1000 {
		chunk := []byte(newGenerator(uint64(seed)).text())
		var err error
		if body, err = encoder.AppendEvent(body, &types.ResponseStreamMemberChunk{Value: types.PayloadPart{Bytes: chunk}}); err != nil {
			t.Fatal(err)
		}
		want = append(want, chunk)
	}
	out, err := sdkStream(t, body).InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String("m")})
	if err != nil {
		t.Fatal(err)
	}
	i := 0
	for have := range out.GetStream().Events() {
		if chunk := have.(*types.ResponseStreamMemberChunk).Value.Bytes; !bytes.Equal(chunk, want[i]) {
			t.Errorf("%q, want %q", chunk, want[i])
		}
		i++
	}
	if err := out.GetStream().Err(); err != nil || i != len(want) {
		t.Errorf("%d chunks, %v", i, err)
	}
}

// Every operation of the SDK stands in one of the round trips.
func TestEveryOperationRoundTrips(t *testing.T) {
	have := map[string]bool{wire.Bidirectional: true}
	for _, in := range requestTypes() {
		have[reflect.TypeOf(in).Elem().Name()[:len(reflect.TypeOf(in).Elem().Name())-len("Input")]] = true
	}
	answers := map[string]bool{"ConverseStream": true, "InvokeModelWithResponseStream": true, wire.Bidirectional: true}
	for out := range answerTypes() {
		answers[reflect.TypeOf(out).Elem().Name()[:len(reflect.TypeOf(out).Elem().Name())-len("Output")]] = true
	}
	for _, op := range wire.Operations() {
		if !have[op.Name] || !answers[op.Name] {
			t.Errorf("%s: an input %v, an output %v", op.Name, have[op.Name], answers[op.Name])
		}
	}
}
