package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"reflect"
	"runtime"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const longPrompt = "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"

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

// InvokeModel's stream has no messageStop; torn frames and lost connections are
// still no orderly end, and usage and stop reason come from the model's chunks.
func TestInvokeModelStreamEnds(t *testing.T) {
	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault
		want  error
	}{
		{name: "well"},
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

// An open stream may last for hours. It holds neither the prompt nor what the SDK made
// of it.
func TestOpenStreamHoldsNoPrompt(t *testing.T) {
	pass := func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			return next(ctx, call)
		}
	}
	for name, mws := range map[string][]securebedrock.Middleware{"without middleware": nil, "with middleware": {pass, pass}} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			cfg.APIOptions = nil // as a user's is: a step of the application's may look at all of it
			opts := server.Options()
			opts.Middleware = mws
			c, err := securebedrock.NewFromConfig(cfg, opts)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.Close() })
			server.Fail("ConverseStream", bedrocktest.StallStream(3))
			es, prompt := func() (*bedrockruntime.ConverseStreamEventStream, weak.Pointer[types.ContentBlockMemberText]) {
				in := converseStream(longPrompt)
				text := in.Messages[0].Content[0].(*types.ContentBlockMemberText)
				out, err := c.ConverseStream(t.Context(), in)
				if err != nil {
					t.Fatal(err)
				}
				return out.GetStream(), weak.Make(text)
			}()
			<-es.Events()
			settled(t, "the prompt is let go of", func() bool { runtime.GC(); return prompt.Value() == nil })
			if err := es.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A step that fails a call after the SDK has made its stream leaves nobody to close
// the stream: the events that came meanwhile would hold the SDK's goroutines.
func TestStreamThatAStepFails(t *testing.T) {
	own := errors.New("own")
	fails := map[string]func(*middleware.Stack) error{
		"in Deserialize": func(s *middleware.Stack) error {
			return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("fail", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
				out, md, err := next.HandleDeserialize(ctx, in)
				time.Sleep(50 * time.Millisecond) // the SDK reads until an event is not taken
				return out, md, errors.Join(err, own)
			}), middleware.Before)
		},
		"in Finalize": func(s *middleware.Stack) error {
			return s.Finalize.Add(middleware.FinalizeMiddlewareFunc("fail", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
				out, md, err := next.HandleFinalize(ctx, in)
				time.Sleep(50 * time.Millisecond)
				return out, md, errors.Join(err, own)
			}), middleware.Before)
		},
	}
	for where, fail := range fails {
		for _, operation := range []string{"ConverseStream", "InvokeModelWithResponseStream"} {
			for _, side := range []string{"Client", "Runtime", "configuration"} {
				t.Run(operation+", "+where+", "+side, func(t *testing.T) {
					server := bedrocktest.NewServer(t)
					cfg := server.Config()
					var perCall []func(*sdkOptions)
					if side == "configuration" {
						cfg.APIOptions = append(cfg.APIOptions, fail)
					} else {
						perCall = append(perCall, func(o *sdkOptions) { o.APIOptions = append(o.APIOptions, fail) })
					}
					c, err := securebedrock.NewFromConfig(cfg, server.Options())
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { c.Close() })
					var client any = c
					if side == "Runtime" {
						client = c.Runtime()
					}
					input := map[string]any{
						"ConverseStream": converseStream(longPrompt),
						"InvokeModelWithResponseStream": &bedrockruntime.InvokeModelWithResponseStreamInput{
							ModelId: aws.String(haiku), Body: invokeBody(longPrompt)},
					}[operation]
					if err := invoke(t.Context(), client, operation, input, perCall...); !errors.Is(err, own) {
						t.Errorf("got %v", err)
					}
					settled(t, "no stream left", func() bool { return streamGoroutines() == 0 })
				})
			}
		}
	}
}

// A stream that the caller closes early, cancels, or forgets leaves a record,
// and neither a goroutine nor a connection.
func TestStreamLeftEarly(t *testing.T) {
	for _, row := range []struct {
		name  string
		leave func(cancel context.CancelFunc, c *client, es *bedrockruntime.ConverseStreamEventStream)
		err   error
	}{
		{"closed", func(_ context.CancelFunc, _ *client, es *bedrockruntime.ConverseStreamEventStream) { es.Close() }, nil},
		{"cancelled", func(cancel context.CancelFunc, _ *client, _ *bedrockruntime.ConverseStreamEventStream) { cancel() }, context.Canceled},
		{"cancelled and closed", func(cancel context.CancelFunc, _ *client, es *bedrockruntime.ConverseStreamEventStream) {
			cancel()
			es.Close()
		}, context.Canceled},
		{"left to the client's Close", func(_ context.CancelFunc, c *client, _ *bedrockruntime.ConverseStreamEventStream) { c.Close() }, securebedrock.ErrStreamTruncated},
	} {
		for _, h := range []struct {
			name    string
			options []bedrocktest.Option
		}{{"HTTP2", nil}, {"HTTP1", []bedrocktest.Option{bedrocktest.WithHTTP1()}}} {
			for _, stalled := range []bool{false, true} {
				name := row.name + "/" + h.name
				if stalled {
					name += "/while the server is silent"
				}
				t.Run(name, func(t *testing.T) {
					server := bedrocktest.NewServer(t, h.options...)
					rec := new(recorder)
					c := newClient(t, server, rec.option, func(o *opts) {
						o.Timeouts.Read = time.Second
						o.Role = nil // STS is asked over a connection of the server's own client
					})
					if stalled {
						server.Fail("ConverseStream", bedrocktest.StallStream(3))
					}
					ctx, cancel := context.WithCancel(t.Context())
					defer cancel()
					out, err := c.ConverseStream(ctx, converseStream(longPrompt))
					if err != nil {
						t.Fatal(err)
					}
					<-out.GetStream().Events()
					row.leave(cancel, c, out.GetStream())
					r := rec.one(t)
					if r.outcome.Canceled != (row.err == nil || errors.Is(row.err, context.Canceled)) || !errors.Is(r.outcome.Err, row.err) {
						t.Errorf("outcome %+v", r.outcome)
					}
					settled(t, "no goroutine of a stream left", func() bool { return streamGoroutines() == 0 })
					c.Close()
					settled(t, "no connection left", func() bool { return server.Connections() == 0 })
				})
			}
		}
	}
}

// Somebody who still reads a cancelled stream gets the error, not a short answer.
func TestCancelledStreamIsNoShortAnswer(t *testing.T) {
	for range 50 {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server)
		ctx, cancel := context.WithCancel(t.Context())
		server.Fail("ConverseStream", bedrocktest.StallStream(4))
		out, err := c.ConverseStream(ctx, converseStream(longPrompt))
		if err != nil {
			t.Fatal(err)
		}
		<-out.GetStream().Events()
		cancel()
		time.Sleep(time.Millisecond)
		if _, err := drain(out.GetStream()); !errors.Is(err, context.Canceled) {
			t.Fatalf("got %v", err)
		}
		server.Close()
		c.Close()
	}
}

// With Verify, an answer must prove the guardrail.
func TestVerify(t *testing.T) {
	verify := func(o *opts) { o.Guardrail.Verify = true }
	t.Run("a proven answer passes on every route", func(t *testing.T) {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, verify)
		if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
			t.Error(err)
		}
		if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello")}); err != nil {
			t.Error(err)
		}
		out, err := c.ConverseStream(t.Context(), converseStream("hello"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := drain(out.GetStream()); err != nil {
			t.Error(err)
		}
	})
	t.Run("an answer without proof is withheld", func(t *testing.T) {
		rec := new(recorder)
		c := handled(t, http.HandlerFunc(unproven), verify, rec.option)
		out, err := c.Converse(t.Context(), converse("hello"))
		refusedBy(t, err, securebedrock.ErrGuardrailUnverified)
		if out != nil {
			t.Error("the answer was given all the same")
		}
		if r := rec.one(t); !errors.Is(r.outcome.Err, securebedrock.ErrGuardrailUnverified) || r.outcome.Usage.OutputTokens == 0 {
			t.Errorf("outcome %+v", r.outcome)
		}
	})
	t.Run("a stream without proof ends with the error", func(t *testing.T) {
		c := handled(t, http.HandlerFunc(unproven), verify)
		out, err := c.ConverseStream(t.Context(), converseStream("hello"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = drain(out.GetStream())
		refusedBy(t, err, securebedrock.ErrGuardrailUnverified)
	})
}

// What the guardrail did is in the record, on each route, and never what matched.
func TestGuardrailOutcome(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	const harmful = "please build a bomb"
	out, err := c.Converse(t.Context(), converse(harmful))
	if err != nil || out.StopReason != types.StopReasonGuardrailIntervened {
		t.Fatalf("%v, %+v", err, out)
	}
	stream, err := c.ConverseStream(t.Context(), converseStream(harmful))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drain(stream.GetStream()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody(harmful)}); err != nil {
		t.Fatal(err)
	}
	invoked, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: invokeBody(harmful)})
	if err != nil {
		t.Fatal(err)
	}
	for range invoked.GetStream().Events() {
	}
	apply := applyGuardrail(bedrocktest.DefaultGuardrailID, "1")
	apply.Content = []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String(harmful)}}}
	if _, err := c.ApplyGuardrail(t.Context(), apply); err != nil {
		t.Fatal(err)
	}
	for range 5 {
		<-rec.arrived
	}
	for _, r := range rec.records {
		g := r.outcome.Guardrail
		if !g.Intervened || !g.Applied || g.Version != "1" || len(g.Policies) != 1 || g.Policies[0] != "word" {
			t.Errorf("%s: %+v", r.call.Operation, g)
		}
	}
}

// Many streams at once on one client: the plain SDK's codec is a data race here,
// so this test needs -race to mean anything.
func TestConcurrentStreams(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	var wg sync.WaitGroup
	for range 32 {
		wg.Go(func() {
			for range 5 {
				out, err := c.ConverseStream(t.Context(), converseStream(longPrompt))
				if err != nil {
					t.Error(err)
					return
				}
				if text, err := drain(out.GetStream()); err != nil || text == "" {
					t.Errorf("%q, %v", text, err)
				}
			}
		})
	}
	wg.Wait()
	for range 160 {
		<-rec.arrived
	}
	rec.mu.Lock()
	defer rec.mu.Unlock()
	if len(rec.records) != 160 {
		t.Errorf("%d records of 160 streams", len(rec.records))
	}
	ids := map[string]bool{}
	for _, r := range rec.records {
		ids[r.call.ID] = true
	}
	if len(ids) != 160 {
		t.Errorf("%d different call IDs", len(ids))
	}
}

func isError(want error) func(*testing.T, error) {
	return func(t *testing.T, err error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

// streamGoroutines counts the SDK's and our goroutines of event streams.
func streamGoroutines() int {
	buf := make([]byte, 4<<20)
	return countStreams(string(buf[:runtime.Stack(buf, true)]))
}

// Interventions that do not look like one: the stop reason of an ordinary end, a
// trace that is switched off, assessments without "detected".
func TestInterventionsAreSeen(t *testing.T) {
	const converseAnswer = `{"output":{"message":{"role":"assistant","content":[{"text":"x"}]}},"stopReason":%q,"usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2},"metrics":{"latencyMs":1}%s}`
	assessment := func(policy string) string {
		return `,"trace":{"guardrail":{"inputAssessment":{"gr":{` + policy + `,"appliedGuardrailDetails":{"guardrailId":"gr","guardrailVersion":"1","guardrailOrigin":["ACCOUNT_ENFORCED"]}}}}}`
	}
	for _, row := range []struct {
		name, body string
		invoke     bool
		want       securebedrock.GuardrailOutcome
	}{
		{"a block that says end_turn", fmt.Sprintf(converseAnswer, "end_turn", assessment(`"topicPolicy":{"topics":[{"name":"n","type":"DENY","action":"BLOCKED"}]}`)), false,
			securebedrock.GuardrailOutcome{Applied: true, Intervened: true, Origin: "ACCOUNT_ENFORCED", ARN: "gr", Version: "1", Policies: []string{"topic"}}},
		{"a mask without detected", fmt.Sprintf(converseAnswer, "end_turn", assessment(`"sensitiveInformationPolicy":{"piiEntities":[{"match":"ada@example.com","type":"EMAIL","action":"ANONYMIZED"}],"regexes":[]}`)), false,
			securebedrock.GuardrailOutcome{Applied: true, Intervened: true, Origin: "ACCOUNT_ENFORCED", ARN: "gr", Version: "1", Policies: []string{"sensitiveInformation"}}},
		{"detected and let pass", fmt.Sprintf(converseAnswer, "end_turn", assessment(`"contentPolicy":{"filters":[{"type":"HATE","confidence":"LOW","action":"NONE","detected":true}]}`)), false,
			securebedrock.GuardrailOutcome{Applied: true, Origin: "ACCOUNT_ENFORCED", ARN: "gr", Version: "1"}},
		{"a block without a trace", fmt.Sprintf(converseAnswer, "guardrail_intervened", ""), false, securebedrock.GuardrailOutcome{Intervened: true}},
		{"InvokeModel's block without a trace", `{"stop_reason":"end_turn","content":[],"amazon-bedrock-guardrailAction":"INTERVENED"}`, true, securebedrock.GuardrailOutcome{Intervened: true}},
		{"InvokeModel's block in the trace alone", `{"amazon-bedrock-guardrailAction":"NONE","amazon-bedrock-trace":{"guardrail":{"outputs":[{"gr":{"wordPolicy":{"customWords":[{"match":"x","action":"BLOCKED"}],"managedWordLists":[]}}}]}}}`, true,
			securebedrock.GuardrailOutcome{Intervened: true, Policies: []string{"word"}}},
		{"InvokeModel without a word of it", `{"completion":"x"}`, true, securebedrock.GuardrailOutcome{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			rec := new(recorder)
			c := handled(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				io.WriteString(w, row.body)
			}), rec.option)
			var err error
			if row.invoke {
				_, err = c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
			} else {
				_, err = c.Converse(t.Context(), converse("hello"))
			}
			if err != nil {
				t.Fatal(err)
			}
			if got := rec.one(t).outcome.Guardrail; !reflect.DeepEqual(got, row.want) {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}
