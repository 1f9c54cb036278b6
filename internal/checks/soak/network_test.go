package soak

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

func TestNetworkFaults(t *testing.T) {
	type attributes = map[string]any
	usual := securebedrock.Timeouts{Connect: time.Second, Read: time.Second, Call: 10 * time.Second}
	anyError := errors.New("any")
	for _, row := range []struct {
		name, toxic, stream string
		attributes          attributes
		timeouts            securebedrock.Timeouts
		prompt              int // characters
		streamed            bool
		want                error // nil: an answer
		atLeast, atMost     time.Duration
	}{
		{"latency delays a call and no more", "latency", "downstream", attributes{"latency": 200}, usual, 10, false, nil, 200 * time.Millisecond, 9 * time.Second},
		{"latency delays a stream and no more", "latency", "downstream", attributes{"latency": 200}, usual, 10, true, nil, 200 * time.Millisecond, 9 * time.Second},
		// Each event is a TLS record. A record counts when it is complete.
		{"a slow trickle of a stream is no silence", "slicer", "downstream", attributes{"average_size": 40, "size_variation": 5, "delay": 30_000},
			securebedrock.Timeouts{Connect: 30 * time.Second, Read: 2500 * time.Millisecond}, 10, true, nil, 3000 * time.Millisecond, 60 * time.Second},
		{"the whole call's bound ends a trickle", "slicer", "downstream", attributes{"average_size": 10, "size_variation": 5, "delay": 100_000},
			securebedrock.Timeouts{Connect: 30 * time.Second, Read: 30 * time.Second, Call: 2 * time.Second}, 10, false, securebedrock.ErrCallTimeout, 1900 * time.Millisecond, 6 * time.Second},
		{"a network that swallows everything is a connect timeout", "timeout", "downstream", attributes{"timeout": 0},
			securebedrock.Timeouts{Connect: 400 * time.Millisecond, Read: 5 * time.Second, Call: 10 * time.Second}, 10, false, securebedrock.ErrConnectTimeout, 400 * time.Millisecond, 12 * time.Second},
		{"a connection reset at once is an error", "reset_peer", "downstream", attributes{"timeout": 0}, usual, 10, false, anyError, 0, 9 * time.Second},
		{"a connection cut in the handshake is an error", "limit_data", "downstream", attributes{"bytes": 200}, usual, 10, false, anyError, 0, 9 * time.Second},
	} {
		for _, proto := range []string{"HTTP/1.1", "HTTP/2"} {
			t.Run(row.name+", "+proto, func(t *testing.T) {
				how := ""
				if proto == "HTTP/1.1" {
					how = "http1"
				}
				b := start(t, how)
				before := used(t)
				remove := b.toxic(t, row.toxic, row.stream, row.attributes)
				r := new(records)
				c := b.client(t, r, row.timeouts)
				began := time.Now()
				err := ask(t.Context(), c, strings.Repeat("x", row.prompt), row.streamed)
				took := time.Since(began)
				switch {
				case row.want == nil && err != nil, row.want != nil && err == nil, row.want != nil && row.want != anyError && !errors.Is(err, row.want):
					t.Errorf("got %v, want %v", err, row.want)
				}
				var timeout net.Error
				if row.want != nil && row.want != anyError && (!errors.As(err, &timeout) || !timeout.Timeout()) {
					t.Errorf("not recognised as a timeout: %v", err)
				}
				if took < row.atLeast || took > row.atMost {
					t.Errorf("it took %v, want %v to %v", took, row.atLeast, row.atMost)
				}
				if calls, wrong := r.complete(); calls != 1 || wrong != 0 {
					t.Errorf("%d calls are recorded, %d of them wrongly", calls, wrong)
				}
				c.Close()
				remove()
				backTo(t, before)
			})
		}
	}
}

// An answer whose connection is cut never passes for a short answer, wherever the cut is.
func TestCutConnection(t *testing.T) {
	for _, proto := range []string{"http1", ""} {
		b := start(t, proto)
		for bytes := 1500; bytes <= 6000; bytes += 500 {
			remove := b.toxic(t, "limit_data", "downstream", map[string]any{"bytes": bytes})
			for _, streamed := range []bool{false, true} {
				r := new(records)
				c := b.client(t, r, securebedrock.Timeouts{Connect: time.Second, Read: time.Second, Call: 5 * time.Second})
				err := ask(t.Context(), c, "hello", streamed)
				if err != nil && errors.Is(err, errShort) {
					t.Errorf("%q, cut after %d bytes, streamed %v: %v", proto, bytes, streamed, err)
				}
				if calls, wrong := r.complete(); calls != 1 || wrong != 0 {
					t.Errorf("%q, cut after %d bytes: %d calls are recorded, %d of them wrongly", proto, bytes, calls, wrong)
				}
				c.Close()
			}
			remove()
		}
	}
}

// A server falls silent during a call, and the connection stays open.
func TestSilence(t *testing.T) {
	for _, proto := range []string{"http1", ""} {
		b := start(t, proto)
		r := new(records)
		c := b.client(t, r, securebedrock.Timeouts{Connect: time.Second, Read: 700 * time.Millisecond, Call: 20 * time.Second})
		if err := c.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
		remove := b.toxic(t, "timeout", "downstream", map[string]any{"timeout": 0})
		began := time.Now()
		err := ask(t.Context(), c, "hello", false)
		if took := time.Since(began); took > 15*time.Second || err == nil ||
			!errors.Is(err, securebedrock.ErrReadTimeout) && !errors.Is(err, securebedrock.ErrConnectTimeout) {
			t.Errorf("%q: after %v: %v", proto, took, err)
		}
		remove()
		if err := ask(t.Context(), c, "hello", false); err != nil {
			t.Errorf("%q: the network is back: %v", proto, err)
		}
		c.Close()
	}
}

var errShort = errors.New("the answer is short")

// ask makes one call. It returns errShort where the answer is incomplete and no error
// says so.
func ask(ctx context.Context, c *securebedrock.Client, prompt string, streamed bool) error {
	model := aws.String("anthropic.claude-3-haiku-20240307-v1:0")
	messages := []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: prompt}}}}
	if !streamed {
		out, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: model, Messages: messages})
		if err == nil && (out.StopReason == "" || out.Output == nil || out.Usage == nil) {
			return errShort
		}
		return err
	}
	out, err := c.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: model, Messages: messages})
	if err != nil {
		return err
	}
	stream := out.GetStream()
	defer stream.Close()
	last := false
	for ev := range stream.Events() {
		if _, ok := ev.(*types.ConverseStreamOutputMemberMetadata); ok {
			last = true
		}
	}
	if err := stream.Err(); err != nil {
		return err
	}
	if !last {
		return errShort
	}
	return nil
}
