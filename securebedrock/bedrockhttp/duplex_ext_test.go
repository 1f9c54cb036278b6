package bedrockhttp_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func excuseDuplex(o *securebedrock.Options) {
	o.UnguardedOperations = map[string]string{wire.Bidirectional: "a test"}
}

func sonic() *bedrockruntime.InvokeModelWithBidirectionalStreamInput {
	return &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String("amazon.nova-sonic-v1:0")}
}

type talk = bedrockruntime.InvokeModelWithBidirectionalStreamEventStream

func say(ctx context.Context, es *talk, text string) error {
	return es.Send(ctx, &types.InvokeModelWithBidirectionalStreamInputMemberChunk{
		Value: types.BidirectionalInputPayloadPart{Bytes: []byte(text)}})
}

// hear waits for the next event.
func hear(t *testing.T, es *talk) (text string, ok bool) {
	t.Helper()
	select {
	case event, ok := <-es.Events():
		if chunk, is := event.(*types.InvokeModelWithBidirectionalStreamOutputMemberChunk); is {
			text = string(chunk.Value.Bytes)
		}
		return text, ok
	case <-time.After(20 * time.Second):
		t.Fatal("no event came")
		return "", false
	}
}

// Both directions live at once: each event of the caller is answered before the next one
// is said. The input's end leaves the answer open.
func TestBidirectional(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, excuseDuplex)
	for _, e := range entries(t, c) {
		if e.name == "HTTP/1.1" {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			out, err := e.sdk().InvokeModelWithBidirectionalStream(t.Context(), sonic())
			if err != nil {
				t.Fatal(err)
			}
			es := out.GetStream()
			for _, text := range []string{`{"n":1}`, `{"n":2}`, `{"n":3}`} {
				if err := say(t.Context(), es, text); err != nil {
					t.Fatal(err, es.Err())
				}
				if have, ok := hear(t, es); !ok || have != text {
					t.Fatalf("heard %q, %v, %v; want %q", have, ok, es.Err(), text)
				}
			}
			if err := es.Writer.Close(); err != nil {
				t.Error(err)
			}
			if text, ok := hear(t, es); ok {
				t.Errorf("heard %q after the end", text)
			}
			if err := es.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// What goes wrong upstream is an exception at the caller, and the caller's end is seen
// upstream.
func TestBidirectionalEnds(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault
		code  string
	}{
		{"an exception", bedrocktest.Exception(1, "throttlingException", "slow"), "ThrottlingException"},
		{"a torn event", bedrocktest.TruncateMidFrame(1), "ModelStreamErrorException"},
		{"a reset", bedrocktest.DropStream(1), "ModelStreamErrorException"},
		{"an error in the place of a stream", bedrocktest.Error(403, "AccessDeniedException", "no"), "accessDeniedException"},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, excuseDuplex)
			for _, e := range entries(t, c) {
				if e.name == "HTTP/1.1" {
					continue
				}
				server.Fail(wire.Bidirectional, row.fault)
				out, err := e.sdk().InvokeModelWithBidirectionalStream(t.Context(), sonic())
				if err != nil {
					t.Fatal(err)
				}
				es := out.GetStream()
				_ = say(t.Context(), es, `{"n":1}`)
				for {
					if _, ok := hear(t, es); !ok {
						break
					}
					_ = say(t.Context(), es, `{"n":2}`)
				}
				if err := es.Err(); err == nil || !strings.Contains(err.Error(), row.code) {
					t.Errorf("%s: %v, want %s", e.name, err, row.code)
				}
				es.Close()
			}
		})
	}
}

// A refusal is the answer to the request, before anything of the input is read.
func TestBidirectionalRefused(t *testing.T) {
	server := bedrocktest.NewServer(t)
	for _, e := range entries(t, newClient(t, server)) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		want := "operation carries no guardrail"
		if e.name == "HTTP/1.1" {
			want = "needs HTTP/2"
		}
		err := duplexError(ctx, e)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", e.name, err)
		}
		cancel()
	}
	if calls := server.Calls(); len(calls) > 0 {
		t.Errorf("the server received %v", calls)
	}
}

// duplexError is the error of a plain client's bidirectional call.
func duplexError(ctx context.Context, e entry) error {
	out, err := e.sdk().InvokeModelWithBidirectionalStream(ctx, sonic())
	if err != nil {
		return err
	}
	es := out.GetStream()
	defer es.Close()
	for {
		select {
		case _, ok := <-es.Events():
			if !ok {
				return es.Err()
			}
		case <-ctx.Done():
			return errors.Join(ctx.Err(), es.Err())
		}
	}
}
