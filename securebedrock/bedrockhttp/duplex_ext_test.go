package bedrockhttp_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/eventstream"

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

// An input that breaks off or is none is an exception for the caller. The upstream gets
// what came before, and no end of the input.
func TestBidirectionalInput(t *testing.T) {
	chunk := func(text string) []byte {
		return frame(t, "chunk", `{"bytes":"`+base64.StdEncoding.EncodeToString([]byte(text))+`"}`)
	}
	for _, row := range []struct {
		name string
		rest []byte // after the first chunk
		err  error  // after rest; nil is the input's end
		want string // in the exception; empty is none
	}{
		{"it ends", nil, nil, ""},
		{"another event", frame(t, "initial-request", `{}`), nil, "no chunk"},
		{"half a frame", chunk("two")[:20], nil, "input stream cannot be read"},
		{"a frame whose sum is wrong", append(chunk("two")[:30:30], make([]byte, len(chunk("two"))-30)...), nil, "input stream cannot be read"},
		{"a frame of 4 GiB", []byte("\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"), nil, "input stream cannot be read"},
		{"a frame of no length", make([]byte, 16), nil, "input stream cannot be read"},
		{"a payload that is no JSON", frame(t, "chunk", "{"), nil, "not valid JSON"},
		{"a lost connection", nil, errors.New("reset"), "input stream cannot be read"},
	} {
		t.Run(row.name, func(t *testing.T) {
			ended := make(chan error, 1)
			c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
				begin(w)
				_, _ = w.Write(chunk("heard"))
				w.(http.Flusher).Flush()
				_, err := io.Copy(io.Discard, r.Body)
				ended <- err
			}, excuseDuplex)
			for _, e := range entries(t, c) {
				if e.name == "HTTP/1.1" || row.err != nil && e.name != "Transport" { // over HTTP/2 the answer is lost with the connection
					continue
				}
				r, w := io.Pipe()
				req := request(t, t.Context(), "POST", e.url+"/model/amazon.nova-sonic-v1:0/invoke-with-bidirectional-stream", r)
				req.Header.Set("Content-Type", wire.EventStreamType)
				resp, err := e.http.Do(req)
				if err != nil {
					t.Fatal(err)
				}
				if resp.StatusCode != 200 || resp.ProtoMajor != 2 {
					t.Errorf("%s: %s %s", e.name, resp.Status, resp.Proto)
				}
				if _, err := w.Write(chunk("one")); err != nil {
					t.Fatal(err)
				}
				if first, err := eventstream.NewDecoder().Decode(resp.Body, nil); err != nil || !bytes.Contains(first.Payload, []byte("aGVhcmQ=")) {
					t.Fatalf("%s: %q, %v", e.name, first.Payload, err)
				}
				_, _ = w.Write(row.rest)
				w.CloseWithError(row.err)
				body, err := io.ReadAll(resp.Body)
				resp.Body.Close()
				if err != nil || !bytes.Contains(body, []byte(row.want)) || bytes.Contains(body, []byte("validationException")) != (row.want != "") {
					t.Errorf("%s: %q, %v", e.name, body, err)
				}
				select {
				case err := <-ended:
					if (err == nil) != (row.want == "") {
						t.Errorf("%s: the upstream's input ended with %v", e.name, err)
					}
				case <-time.After(20 * time.Second):
					t.Fatalf("%s: the upstream's input does not end", e.name)
				}
			}
		})
	}
}

// The caller's end of a bidirectional call ends it upstream, whichever side is silent.
func TestBidirectionalCallerGoesAway(t *testing.T) {
	ended := make(chan struct{}, 1)
	c := upstream(t, func(w http.ResponseWriter, r *http.Request) {
		begin(w)
		_, _ = w.Write(frame(t, "chunk", `{"bytes":"e30="}`))
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		ended <- struct{}{}
	}, excuseDuplex)
	for _, e := range entries(t, c) {
		if e.name == "HTTP/1.1" {
			continue
		}
		// net/http's client sees the end of its context when the body's Read returns.
		ctx, cancel := context.WithCancel(t.Context())
		r, w := io.Pipe()
		req := request(t, ctx, "POST", e.url+"/model/amazon.nova-sonic-v1:0/invoke-with-bidirectional-stream", r)
		req.Header.Set("Content-Type", wire.EventStreamType)
		resp, err := e.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := eventstream.NewDecoder().Decode(resp.Body, nil); err != nil {
			t.Fatal(err)
		}
		cancel()
		w.CloseWithError(ctx.Err())
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Fatalf("%s: the call upstream does not end", e.name)
		}
		resp.Body.Close()
	}
}
