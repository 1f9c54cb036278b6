package securebedrock_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/smithy-go/eventstream"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// An answer of status 200 that lacks what it is for is an error, with no output.
func TestIncompleteAnswers(t *testing.T) {
	answers := map[string][]string{ // by operation: what is incomplete; then, last, what is not
		"Converse": {`{}`, ``, `{"stopReason":"end_turn"}`, `{"output":{},"stopReason":"end_turn"}`, `{"output":{"message":{}},"stopReason":"end_turn"}`,
			`{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}}}`, `{"output":null,"stopReason":null}`, `{"other":1}`,
			`{"output":{"message":{"role":"assistant","content":[]}},"stopReason":"end_turn"}`},
		"InvokeModel":           {``, `{"embedding":[1]}`},
		"ApplyGuardrail":        {`{}`, ``, `{"outputs":[],"assessments":[]}`, `{"action":"NONE"}`},
		"InvokeGuardrailChecks": {`{}`, ``, `{"results":{}}`},
		"CountTokens":           {`{}`, ``, `{"inputTokens":0}`},
		"StartAsyncInvoke":      {`{}`, ``, `{"invocationArn":""}`, `{"invocationArn":"arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc"}`},
		"GetAsyncInvoke":        {`{}`, ``, `{"status":"Completed"}`, `{"invocationArn":"arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc","status":"Completed"}`},
		"ListAsyncInvokes":      {`{}`},
	}
	for op, bodies := range answers {
		for i, body := range bodies {
			t.Run(op+"/"+body, func(t *testing.T) {
				rec := new(recorder)
				c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					io.Copy(io.Discard, r.Body)
					w.Header().Set("Content-Type", "application/json")
					io.WriteString(w, body)
				}), rec.option, func(o *opts) { o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "public"} })
				none, err := unary(t.Context(), c, op)
				if i == len(bodies)-1 {
					if err != nil {
						t.Errorf("got %v", err)
					}
					return
				}
				refusedBy(t, err, securebedrock.ErrAnswerIncomplete)
				if !none {
					t.Error("the answer was given all the same")
				}
				if r := rec.one(t); r.outcome.Err == nil || r.outcome.Attempts != 1 {
					t.Errorf("outcome %+v", r.outcome)
				}
			})
		}
	}
}

// unary calls an operation and reports whether it returned no output.
func unary(ctx context.Context, c *client, op string) (none bool, err error) {
	switch op {
	case "Converse":
		out, err := c.Converse(ctx, converse("hello"))
		return out == nil, err
	case "InvokeModel":
		out, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
		return out == nil, err
	case "ApplyGuardrail":
		out, err := c.ApplyGuardrail(ctx, applyGuardrail(bedrocktest.DefaultGuardrailID, "1"))
		return out == nil, err
	case "InvokeGuardrailChecks":
		out, err := c.InvokeGuardrailChecks(ctx, guardrailChecks())
		return out == nil, err
	case "CountTokens":
		out, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku),
			Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("hello")}}})
		return out == nil, err
	case "StartAsyncInvoke":
		out, err := c.StartAsyncInvoke(ctx, startAsync())
		return out == nil, err
	case "GetAsyncInvoke":
		out, err := c.GetAsyncInvoke(ctx, &bedrockruntime.GetAsyncInvokeInput{InvocationArn: aws.String("arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc")})
		return out == nil, err
	}
	out, err := c.ListAsyncInvokes(ctx, &bedrockruntime.ListAsyncInvokesInput{})
	return out == nil, err
}

// Answers that no Bedrock gives: the error is typed or the SDK's own, the record
// is complete, nothing panics, and memory stays bounded.
func TestHostileAnswers(t *testing.T) {
	frames := func(write func(w io.Writer, p *restjson1.Protocol)) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			write(w, restjson1.New(schemas.AmazonBedrockFrontendService))
		}
	}
	start := func(w io.Writer, p *restjson1.Protocol) {
		p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStart, &types.MessageStartEvent{Role: types.ConversationRoleAssistant}, w)
	}
	stop := func(w io.Writer, p *restjson1.Protocol) {
		p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStop, &types.MessageStopEvent{StopReason: types.StopReasonEndTurn}, w)
	}
	prelude := func(w io.Writer, total, headers uint32) {
		b := binary.BigEndian.AppendUint32(nil, total)
		b = binary.BigEndian.AppendUint32(b, headers)
		w.Write(binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b)))
	}
	for _, row := range []struct {
		name    string
		handler http.HandlerFunc
		stream  bool
		want    error // errAny: some error; nil: none
	}{
		{"an endless body", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"stopReason":"`)
			endless(w, r)
		}, false, securebedrock.ErrAnswerSize},
		{"an endless error", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			endless(w, r)
		}, false, securebedrock.ErrAnswerSize},
		{"an endless error in a stream's place", func(w http.ResponseWriter, r *http.Request) {
			w.WriteHeader(http.StatusBadRequest)
			endless(w, r)
		}, true, securebedrock.ErrAnswerSize},
		{"HTML", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<html>please log in</html>")
		}, false, errAny},
		{"HTML in a stream's place", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			io.WriteString(w, "<html>please log in</html>")
		}, true, errAny},
		{"nothing", func(http.ResponseWriter, *http.Request) {}, false, securebedrock.ErrAnswerIncomplete}, // the SDK takes it for an empty object
		{"nothing in a stream's place", func(http.ResponseWriter, *http.Request) {}, true, securebedrock.ErrStreamTruncated},
		{"a body that unpacks itself", func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, `{"stopReason":"`)
			for range 128 { // MiB
				z.Write(make([]byte, 1<<20))
				if r.Context().Err() != nil {
					return
				}
			}
			z.Close()
		}, false, errAny},
		{"a frame with a bad sum", frames(func(w io.Writer, p *restjson1.Protocol) {
			var b bytes.Buffer
			start(&b, p)
			b.Bytes()[b.Len()-1] ^= 1
			w.Write(b.Bytes())
			stop(w, p)
		}), true, errAny},
		{"a prelude with a bad sum", frames(func(w io.Writer, p *restjson1.Protocol) {
			start(w, p)
			w.Write([]byte{0, 0, 0, 100, 0, 0, 0, 10, 1, 2, 3, 4})
			w.Write(make([]byte, 88))
		}), true, errAny},
		{"a frame of 2 GiB", func(w http.ResponseWriter, r *http.Request) { prelude(w, 1<<31, 10); endless(w, r) }, true, securebedrock.ErrStreamTruncated},
		{"a frame of 4 bytes", frames(func(w io.Writer, p *restjson1.Protocol) { prelude(w, 4, 0) }), true, securebedrock.ErrStreamTruncated},
		{"headers longer than their frame", func(w http.ResponseWriter, r *http.Request) { prelude(w, 64, 1<<30); endless(w, r) }, true, securebedrock.ErrStreamTruncated},
		{"the end inside a prelude", frames(func(w io.Writer, p *restjson1.Protocol) { start(w, p); w.Write([]byte{0, 0}) }), true, securebedrock.ErrStreamTruncated},
		{"the end between events before messageStop", frames(start), true, securebedrock.ErrStreamTruncated},
		{"an unknown event", frames(func(w io.Writer, p *restjson1.Protocol) {
			start(w, p)
			var m eventstream.Message
			m.Headers.Set(":message-type", eventstream.StringValue("event"))
			m.Headers.Set(":event-type", eventstream.StringValue("newThing"))
			m.Payload = []byte(`{"x":1}`)
			eventstream.NewEncoder().Encode(w, m)
			stop(w, p)
		}), true, nil},
		{"an exception nobody knows", frames(func(w io.Writer, p *restjson1.Protocol) {
			start(w, p)
			var m eventstream.Message
			m.Headers.Set(":message-type", eventstream.StringValue("exception"))
			m.Headers.Set(":exception-type", eventstream.StringValue("newException"))
			m.Payload = []byte(`{"message":"new"}`)
			eventstream.NewEncoder().Encode(w, m)
		}), true, errAny},
		{"a messageStop that is no JSON", frames(func(w io.Writer, p *restjson1.Protocol) {
			start(w, p)
			var m eventstream.Message
			m.Headers.Set(":message-type", eventstream.StringValue("event"))
			m.Headers.Set(":event-type", eventstream.StringValue("messageStop"))
			m.Payload = []byte(`{{{`)
			eventstream.NewEncoder().Encode(w, m)
		}), true, errAny},
		{"a stream in single bytes", func(w http.ResponseWriter, r *http.Request) {
			var b bytes.Buffer
			p := restjson1.New(schemas.AmazonBedrockFrontendService)
			start(&b, p)
			stop(&b, p)
			w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			for _, c := range b.Bytes() {
				w.Write([]byte{c})
				w.(http.Flusher).Flush()
			}
		}, true, nil},
		{"a messageStop of 2 MiB", frames(func(w io.Writer, p *restjson1.Protocol) {
			start(w, p)
			p.SerializeEventMessage(schemas.ConverseStreamOutput, schemas.ConverseStreamOutput_messageStop, &types.MessageStopEvent{StopReason: types.StopReason(strings.Repeat("x", 2<<20))}, w)
		}), true, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			rec := new(recorder)
			c := handled(t, row.handler, rec.option, func(o *opts) { o.Retry.MaxAttempts = 1; o.Timeouts.Read = 20 * time.Second })
			var err error
			peak := peakMemory(t, func() {
				if row.stream {
					err = everyOperation()["ConverseStream"](t.Context(), c)
				} else {
					err = everyOperation()["Converse"](t.Context(), c)
				}
			})
			switch {
			case row.want == nil && err != nil, row.want == errAny && err == nil, row.want != nil && row.want != errAny && !errors.Is(err, row.want):
				t.Errorf("got %v, want %v", err, row.want)
			}
			if r := rec.one(t); (r.outcome.Err == nil) != (err == nil) {
				t.Errorf("the caller got %v and the record %v", err, r.outcome.Err)
			}
			if peak > 256<<20 {
				t.Errorf("memory grew by %d MiB", peak>>20)
			}
		})
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	block := bytes.Repeat([]byte("x"), 1<<20)
	for r.Context().Err() == nil {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// peakMemory samples the heap while f runs.
func peakMemory(t *testing.T, f func()) uint64 {
	t.Helper()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	done := make(chan uint64)
	stop := make(chan struct{})
	go func() {
		var peak uint64
		for {
			runtime.ReadMemStats(&now)
			if now.HeapInuse > before.HeapInuse {
				peak = max(peak, now.HeapInuse-before.HeapInuse)
			}
			select {
			case <-stop:
				done <- peak
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	f()
	close(stop)
	return <-done
}
