package securebedrock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/eventstream"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// readStream makes a streaming call of an operation, reads it to its end and
// returns its error.
func readStream(ctx context.Context, t *testing.T, c *client, op string) error {
	t.Helper()
	switch op {
	case "ConverseStream":
		out, err := c.ConverseStream(ctx, converseStream("hello"))
		if err != nil {
			return err
		}
		_, err = drain(out.GetStream())
		return err
	case "InvokeModelWithResponseStream":
		out, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
		if err != nil {
			return err
		}
		for range out.GetStream().Events() {
		}
		return out.GetStream().Err()
	}
	out, err := c.InvokeModelWithBidirectionalStream(ctx, sonic())
	if err != nil {
		return err
	}
	for range out.GetStream().Events() {
	}
	return out.GetStream().Err()
}

// The record of a stream has the error that the caller got, in whatever pieces the
// exception and the end arrive.
func TestExceptionIsRecordedByItsName(t *testing.T) {
	events := map[string][]byte{
		"ConverseStream":                     eventFrame(t, "messageStart", `{"role":"assistant"}`),
		"InvokeModelWithResponseStream":      eventFrame(t, "chunk", `{"bytes":"e30="}`),
		"InvokeModelWithBidirectionalStream": eventFrame(t, "chunk", `{"bytes":"e30="}`),
	}
	for op, event := range events {
		exception := exceptionFrame(t, "modelStreamErrorException", "no")
		all := append(bytes.Clone(event), exception...)
		for _, row := range []struct {
			name   string
			pieces [][]byte
		}{
			{"at once", [][]byte{all}},
			{"event, then exception", [][]byte{event, exception}},
			{"in two halves of the exception", [][]byte{all[:len(all)-20], all[len(all)-20:]}},
			{"in single bytes", split(all)},
			{"an exception alone", [][]byte{exception}},
			{"with an event after it", [][]byte{append(bytes.Clone(all), event...)}},
			{"with half an event after it", [][]byte{append(bytes.Clone(all), event[:9]...)}},
		} {
			for _, http2 := range []bool{true, false} {
				if !http2 && op == "InvokeModelWithBidirectionalStream" {
					continue
				}
				for _, length := range []bool{false, true} { // HTTP/1.1 then gives the end with the last bytes
					name := op + "/" + row.name + map[bool]string{true: "/HTTP2", false: "/HTTP1"}[http2] + map[bool]string{true: "/with its length", false: ""}[length]
					t.Run(name, func(t *testing.T) {
						rec := new(recorder)
						c := handledBy(t, http2, func(w http.ResponseWriter, r *http.Request) {
							w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
							if length {
								n := 0
								for _, p := range row.pieces {
									n += len(p)
								}
								w.Header().Set("Content-Length", strconv.Itoa(n))
							}
							w.WriteHeader(http.StatusOK)
							for _, p := range row.pieces {
								w.Write(p)
								if len(row.pieces) > 1 {
									w.(http.Flusher).Flush()
								}
							}
						}, rec.option, excuseDuplex)
						err := readStream(t.Context(), t, c, op)
						var want *types.ModelStreamErrorException
						if !errors.As(err, &want) {
							t.Errorf("the caller got %v", err)
						}
						if r := rec.one(t); !errors.As(r.outcome.Err, &want) || r.outcome.Canceled {
							t.Errorf("the record has %v", r.outcome.Err)
						}
					})
				}
			}
		}
	}
}

func split(b []byte) (all [][]byte) {
	for i := range b {
		all = append(all, b[i:i+1])
	}
	return all
}

// A context that ends just after the stream did changes nothing in its record.
func TestCancelAfterTheEnd(t *testing.T) {
	for _, op := range []string{"ConverseStream", "InvokeModelWithResponseStream"} {
		for _, exception := range []bool{false, true} {
			rec := new(recorder)
			const n = 100
			c := handledBy(t, true, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
				if op == "ConverseStream" {
					w.Write(eventFrame(t, "messageStop", `{"stopReason":"end_turn"}`))
				} else {
					w.Write(eventFrame(t, "chunk", `{"bytes":"e30="}`))
				}
				if exception {
					w.Write(exceptionFrame(t, "modelStreamErrorException", "no"))
				}
			}, rec.option)
			for range n {
				ctx, cancel := context.WithCancel(t.Context())
				err := readStream(ctx, t, c, op)
				cancel()
				if (err != nil) != exception {
					t.Fatalf("the caller got %v", err)
				}
			}
			settled(t, "every outcome", func() bool { rec.mu.Lock(); defer rec.mu.Unlock(); return len(rec.records) == n })
			for _, r := range rec.records {
				if (r.outcome.Err != nil) != exception || r.outcome.Canceled {
					t.Fatalf("%s: the record has %v, canceled %t", op, r.outcome.Err, r.outcome.Canceled)
				}
			}
		}
	}
}

// A stream that ends at once, with no event, is none.
func TestEmptyStream(t *testing.T) {
	for _, op := range []string{"ConverseStream", "InvokeModelWithResponseStream"} {
		for _, http2 := range []bool{true, false} {
			rec := new(recorder)
			c := handledBy(t, http2, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
			}, rec.option)
			refusedBy(t, readStream(t.Context(), t, c, op), securebedrock.ErrStreamTruncated)
			if r := rec.one(t); !errors.Is(r.outcome.Err, securebedrock.ErrStreamTruncated) {
				t.Errorf("%s: %v", op, r.outcome.Err)
			}
		}
	}
}

// Someone who is slow to read a stream that was cut comes to its error too, though
// nobody took the events in time.
func TestSlowReaderComesToTheError(t *testing.T) {
	const event = `{"contentBlockIndex":0,"delta":{"text":"x"}}`
	for _, op := range []string{"ConverseStream", "InvokeModelWithBidirectionalStream"} {
		t.Run(op, func(t *testing.T) {
			c := handledBy(t, true, func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
				for range 10 {
					if op == "ConverseStream" {
						w.Write(eventFrame(t, "contentBlockDelta", event))
					} else {
						w.Write(eventFrame(t, "chunk", `{"bytes":"e30="}`))
					}
				}
				w.(http.Flusher).Flush()
				<-r.Context().Done()
			}, excuseDuplex)
			var err error
			switch op {
			case "ConverseStream":
				out, callErr := c.ConverseStream(t.Context(), converseStream("hello"))
				if callErr != nil {
					t.Fatal(callErr)
				}
				<-out.GetStream().Events()
				c.Close()
				time.Sleep(1500 * time.Millisecond)
				_, err = drain(out.GetStream())
			default:
				out, callErr := c.InvokeModelWithBidirectionalStream(t.Context(), sonic())
				if callErr != nil {
					t.Fatal(callErr)
				}
				<-out.GetStream().Events()
				c.Close()
				time.Sleep(1500 * time.Millisecond)
				for range out.GetStream().Events() {
				}
				err = out.GetStream().Err()
			}
			if !errors.Is(err, securebedrock.ErrStreamTruncated) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Headers of every type may stand before :event-type.
func TestHeadersOfEveryType(t *testing.T) {
	m := eventstream.Message{Payload: []byte(`{"stopReason":"end_turn"}`)}
	for name, v := range map[string]eventstream.Value{
		"a-true": eventstream.BoolValue(true), "a-false": eventstream.BoolValue(false), "a-byte": eventstream.Int8Value(1),
		"a-short": eventstream.Int16Value(1), "an-int": eventstream.Int32Value(1), "a-long": eventstream.Int64Value(1),
		"bytes": eventstream.BytesValue("xyz"), "empty": eventstream.BytesValue(""), "a-time": eventstream.TimestampValue(time.Unix(1, 0)), "a-uuid": eventstream.UUIDValue{1},
	} {
		m.Headers.Set(name, v)
	}
	m.Headers.Set(eventstream.MessageTypeHeader, eventstream.StringValue(eventstream.EventMessageType))
	m.Headers.Set(eventstream.EventTypeHeader, eventstream.StringValue("messageStop"))
	rec := new(recorder)
	c := handledBy(t, true, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
		_ = eventstream.NewEncoder().Encode(w, m)
	}, rec.option)
	if err := readStream(t.Context(), t, c, "ConverseStream"); err != nil {
		t.Errorf("got %v", err)
	}
	if r := rec.one(t); r.outcome.StopReason != "end_turn" {
		t.Errorf("outcome %+v", r.outcome)
	}
}

// How a stream can end, and what the caller and the record see of it.
func TestStreamEnds(t *testing.T) {
	for _, row := range []struct {
		name   string
		fault  bedrocktest.Fault
		change func(*opts)
		check  func(t *testing.T, err error)
		usage  bool // the record has the usage
	}{
		{name: "well", check: func(t *testing.T, err error) {
			if err != nil {
				t.Errorf("got %v", err)
			}
		}, usage: true},
		{name: "truncated between events", fault: bedrocktest.Truncate(3), check: isError(securebedrock.ErrStreamTruncated)},
		{name: "truncated before the first event", fault: bedrocktest.Truncate(0), check: isError(securebedrock.ErrStreamTruncated)},
		{name: "truncated inside an event", fault: bedrocktest.TruncateMidFrame(3), check: isError(securebedrock.ErrStreamTruncated)},
		{name: "with a lost connection", fault: bedrocktest.DropStream(3), check: isError(securebedrock.ErrStreamTruncated)},
		{name: "in silence", fault: bedrocktest.StallStream(3), change: func(o *opts) { o.Timeouts.Read = 200 * time.Millisecond },
			check: func(t *testing.T, err error) {
				isError(securebedrock.ErrReadTimeout)(t, err)
				var n net.Error
				if !errors.As(err, &n) || !n.Timeout() {
					t.Errorf("%v is no net.Error with Timeout", err)
				}
			}},
		{name: "over the bound of the call", fault: bedrocktest.StallStream(3), change: func(o *opts) { o.Timeouts.Call = 300 * time.Millisecond },
			check: isError(context.DeadlineExceeded)},
		{name: "with an exception", fault: bedrocktest.Exception(3, "throttlingException", "slow down"), check: func(t *testing.T, err error) {
			var e *types.ThrottlingException
			if !errors.As(err, &e) {
				t.Errorf("got %v", err)
			}
		}},
	} {
		for _, h := range []struct {
			name    string
			options []bedrocktest.Option
		}{{"HTTP2", nil}, {"HTTP1", []bedrocktest.Option{bedrocktest.WithHTTP1()}}} {
			t.Run(row.name+"/"+h.name, func(t *testing.T) {
				server := bedrocktest.NewServer(t, h.options...)
				rec := new(recorder)
				c := newClient(t, server, rec.option, func(o *opts) {
					if row.change != nil {
						row.change(o)
					}
				})
				server.Fail("ConverseStream", row.fault)
				out, err := c.ConverseStream(t.Context(), converseStream(longPrompt))
				if err != nil {
					t.Fatal(err)
				}
				_, err = drain(out.GetStream())
				row.check(t, err)
				r := rec.one(t)
				if (r.outcome.Err == nil) != (err == nil) || err != nil && !errors.Is(err, r.outcome.Err) && !errors.Is(r.outcome.Err, errors.Unwrap(err)) {
					t.Errorf("the caller got %v and the record %v", err, r.outcome.Err)
				}
				if r.outcome.Canceled || r.outcome.Latency <= 0 || r.outcome.RequestID == "" || r.outcome.Attempts != 1 {
					t.Errorf("outcome %+v", r.outcome)
				}
				if row.usage && (r.outcome.Usage.TotalTokens == 0 || r.outcome.StopReason != "end_turn" || r.outcome.FirstEvent <= 0 ||
					!r.outcome.Guardrail.Applied || r.outcome.Guardrail.Version != "1" || r.outcome.Guardrail.Origin != "REQUEST") {
					t.Errorf("outcome %+v", r.outcome)
				}
				settled(t, "no stream left", func() bool { return streamGoroutines() == 0 })
			})
		}
	}
}

// InvokeModel's stream has no messageStop of the API. Torn frames and lost connections
// are still no orderly end, and neither is an end before the model's own. Usage and stop
// reason come from the model's chunks.
func TestInvokeModelStreamEnds(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault
		want  error
	}{
		{name: "well"},
		{"truncated between two events", bedrocktest.Truncate(3), securebedrock.ErrStreamTruncated},
		{"truncated after the first event", bedrocktest.Truncate(1), securebedrock.ErrStreamTruncated},
		{"truncated inside an event", bedrocktest.TruncateMidFrame(3), securebedrock.ErrStreamTruncated},
		{"with a lost connection", bedrocktest.DropStream(3), securebedrock.ErrStreamTruncated},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			rec := new(recorder)
			c := newClient(t, server, rec.option)
			server.Fail("InvokeModelWithResponseStream", row.fault)
			out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{
				ModelId: aws.String(haiku), Body: invokeBody(longPrompt)})
			if err != nil {
				t.Fatal(err)
			}
			n := 0
			for range out.GetStream().Events() {
				n++
			}
			if err := out.GetStream().Err(); !errors.Is(err, row.want) {
				t.Errorf("got %v, want %v", err, row.want)
			}
			r := rec.one(t)
			if row.want == nil && (r.outcome.StopReason != "end_turn" || r.outcome.Usage.OutputTokens == 0 || n < 5) {
				t.Errorf("%d events, outcome %+v", n, r.outcome)
			}
		})
	}
}

// A middleware that asks for a stream's events gets each of them, in order, as
// the caller does.
func TestOnEventSeesTheStream(t *testing.T) {
	server := bedrocktest.NewServer(t)
	var kinds []string
	var text strings.Builder
	c := newClient(t, server, func(o *opts) {
		o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
			return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
				call.OnEvent = func(ev any) {
					kinds = append(kinds, fmt.Sprintf("%T", ev))
					if d, ok := ev.(*types.ContentBlockDeltaEvent); ok {
						text.WriteString(d.Delta.(*types.ContentBlockDeltaMemberText).Value)
					}
				}
				return next(ctx, call)
			}
		})
	})
	out, err := c.ConverseStream(t.Context(), converseStream("hello"))
	if err != nil {
		t.Fatal(err)
	}
	read, err := drain(out.GetStream())
	out.GetStream().Close()
	if err != nil || read == "" || text.String() != read {
		t.Errorf("the caller read %q and the middleware %q: %v", read, text.String(), err)
	}
	if len(kinds) < 5 || kinds[0] != "*types.MessageStartEvent" || kinds[len(kinds)-1] != "*types.ConverseStreamMetadataEvent" {
		t.Errorf("events %v", kinds)
	}
}
