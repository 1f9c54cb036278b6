package audit_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	bedrockdoc "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func TestRecordOfACall(t *testing.T) {
	server := bedrocktest.NewServer(t)
	sink := new(memory)
	role := "arn:aws:iam::123456789012:role/path/inference"
	c := newClient(t, server, sink, audit.Options{Application: "claims"}, func(o *securebedrock.Options) {
		o.Role.ARN, o.Role.SessionName = role, "claims-7"
	})
	if _, err := c.Converse(t.Context(), converse("hello there")); err != nil {
		t.Fatal(err)
	}
	in, out := sink.pair(t)
	if in.Attempts != 0 || in.Usage != nil || in.Error != nil || in.Input == nil || in.Input.Messages != 1 || in.Input.Kinds["text"] != 1 || in.Input.Bytes != int64(len("hello there")) || in.Input.Blocks != nil || in.Input.Digest != "" {
		t.Errorf("intent %+v with input %+v", in, in.Input)
	}
	for _, r := range []*audit.Record{in, out} {
		if r.Schema != "securebedrock.audit/1" || r.Operation != "Converse" || r.Application != "claims" || r.Region != "us-east-1" ||
			!strings.HasPrefix(r.Host, "127.0.0.1:") || r.Model.ID != haiku || r.Model.Kind != "foundation-model" || r.Model.Regions[0] != "us-east-1" ||
			r.Guardrail.ID != bedrocktest.DefaultGuardrailID || r.Guardrail.Version != "1" || r.Principal.RoleARN != role || r.Principal.SessionName != "claims-7" {
			t.Errorf("record %+v", r)
		}
	}
	if out.Principal.ARN != "arn:aws:sts::123456789012:assumed-role/inference/claims-7" || !strings.HasPrefix(out.Principal.AccessKeyID, "ASIA") {
		t.Errorf("principal %+v", out.Principal)
	}
	if out.Attempts != 1 || out.RequestID == "" || out.Duration <= 0 || out.StopReason != "end_turn" || out.Usage.InputTokens == 0 || out.Usage.OutputTokens == 0 ||
		!out.Guardrail.Applied || out.Guardrail.Intervened || out.Error != nil || out.Refused || out.Input != nil || out.Output != nil {
		t.Errorf("outcome %+v", out)
	}
}

// What each way to end tells.
func TestOutcomes(t *testing.T) {
	inner := func(f func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error)) func(*securebedrock.Options) {
		return func(o *securebedrock.Options) {
			o.Middleware = append(o.Middleware, func(next securebedrock.Handler) securebedrock.Handler {
				return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
					return f(ctx, call, next)
				}
			})
		}
	}
	unary := func(ctx context.Context, c *securebedrock.Client) error {
		_, err := c.Converse(ctx, converse("hello"))
		return err
	}
	stream := func(ctx context.Context, c *securebedrock.Client) error {
		out, err := c.ConverseStream(ctx, converseStream("one two three four"))
		if err != nil {
			return err
		}
		for range out.GetStream().Events() {
		}
		return errors.Join(out.GetStream().Err(), out.GetStream().Close())
	}
	for _, row := range []struct {
		name   string
		faults []bedrocktest.Fault
		change func(*securebedrock.Options)
		call   func(ctx context.Context, c *securebedrock.Client) error
		check  func(r *audit.Record) bool
	}{
		{"an answer", nil, nil, unary, func(r *audit.Record) bool { return r.Error == nil && r.Attempts == 1 }},
		{"a stream", nil, nil, stream, func(r *audit.Record) bool {
			return r.Error == nil && r.Events > 2 && r.FirstEvent > 0 && r.Usage != nil && r.StopReason == "end_turn" && !r.Truncated && !r.Canceled
		}},
		{"an intervention", nil, nil, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.Converse(ctx, converse("how to build a bomb"))
			return err
		}, func(r *audit.Record) bool {
			return r.Error == nil && r.Guardrail.Intervened && len(r.Guardrail.Policies) == 1 && r.Guardrail.Policies[0] == "word" && r.StopReason == "guardrail_intervened"
		}},
		{"a refusal by a rule", nil, nil, func(ctx context.Context, c *securebedrock.Client) error {
			in := converse("hello")
			in.ModelId = aws.String("eu." + haiku)
			_, err := c.Converse(ctx, in)
			return err
		}, func(r *audit.Record) bool {
			return r.Refused && r.Attempts == 0 && r.Error.Class == "refused" && r.Error.Rule == "residency" && r.Model.ID == "eu."+haiku
		}},
		{"a prompt in the model's place", nil, nil, func(ctx context.Context, c *securebedrock.Client) error {
			in := converse("hello")
			in.ModelId = aws.String("my secret question")
			_, err := c.Converse(ctx, in)
			return err
		}, func(r *audit.Record) bool {
			return r.Refused && r.Error.Rule == "model" && (r.Model == nil || r.Model.ID == "(no identifier)")
		}},
		{"an input that the SDK finds wanting", nil, nil, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.StartAsyncInvoke(ctx, &bedrockruntime.StartAsyncInvokeInput{ModelId: aws.String(haiku)})
			return err
		}, func(r *audit.Record) bool { return r.Refused && r.Error.Class == "invalid" }},
		{"a reason for no guardrail", nil, func(o *securebedrock.Options) {
			o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "red team, ticket 9"
		}, unary, func(r *audit.Record) bool {
			return r.Unguarded == "red team, ticket 9" && r.Guardrail == nil && r.Error == nil
		}},
		{"a throttle that was retried", []bedrocktest.Fault{bedrocktest.Throttle(1)}, nil, unary, func(r *audit.Record) bool {
			return r.Error == nil && r.Attempts == 2 && r.Throttled == 1 && r.Wait > 0
		}},
		{"a throttle that was not", []bedrocktest.Fault{bedrocktest.Throttle(1)}, func(o *securebedrock.Options) { o.Retry.MaxAttempts = 1 }, unary, func(r *audit.Record) bool {
			return r.Error.Class == "throttled" && r.Error.Code == "ThrottlingException" && r.Error.Status == 429 && r.Error.Service == "Bedrock Runtime"
		}},
		{"a service's error", []bedrocktest.Fault{bedrocktest.Error(400, "ValidationException", "your prompt was: secret")}, nil, unary, func(r *audit.Record) bool {
			return r.Error.Class == "service" && r.Error.Code == "ValidationException" && r.Error.Status == 400 && !r.Refused
		}},
		{"a lost connection", []bedrocktest.Fault{bedrocktest.Drop()}, func(o *securebedrock.Options) { o.Retry.MaxAttempts = 1 }, unary, func(r *audit.Record) bool {
			return r.Error != nil && (r.Error.Class == "network" || r.Error.Class == "other") && r.Attempts == 1
		}},
		{"a redirect", []bedrocktest.Fault{bedrocktest.Redirect(307, "https://example.com/")}, nil, unary, func(r *audit.Record) bool {
			return r.Error.Rule == "redirect" && !r.Refused && r.Attempts == 1
		}},
		{"silence", []bedrocktest.Fault{bedrocktest.StallHeaders()}, func(o *securebedrock.Options) { o.Timeouts.Read, o.Retry.MaxAttempts = 300*time.Millisecond, 1 }, unary, func(r *audit.Record) bool {
			return r.Error.Class == "timeout" && r.Error.Rule == "read_timeout"
		}},
		{"a stream that was cut", []bedrocktest.Fault{bedrocktest.Truncate(3)}, nil, stream, func(r *audit.Record) bool {
			return r.Truncated && r.Error.Class == "stream" && r.Error.Rule == "stream_truncated" && !r.Canceled && r.Events == 3
		}},
		{"an exception in a stream", []bedrocktest.Fault{bedrocktest.Exception(2, "modelStreamErrorException", "secret")}, nil, stream, func(r *audit.Record) bool {
			return r.Error.Class == "service" && r.Error.Code == "ModelStreamErrorException"
		}},
		{"a stream that its reader closed", nil, nil, func(ctx context.Context, c *securebedrock.Client) error {
			out, err := c.ConverseStream(ctx, converseStream("one two three four"))
			if err != nil {
				return err
			}
			<-out.GetStream().Events()
			return out.GetStream().Close()
		}, func(r *audit.Record) bool { return r.Attempts == 1 && r.RequestID != "" }},
		{"a cancelled call", []bedrocktest.Fault{bedrocktest.StallHeaders()}, nil, func(ctx context.Context, c *securebedrock.Client) error {
			ctx, cancel := context.WithTimeout(ctx, time.Hour)
			time.AfterFunc(100*time.Millisecond, cancel)
			_, err := c.Converse(ctx, converse("hello"))
			return err
		}, func(r *audit.Record) bool { return r.Canceled && r.Error.Class == "canceled" && r.Attempts == 1 }},
		{"an inner middleware's refusal", nil, inner(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return nil, errors.New("the budget is spent, said the secret prompt")
		}), unary, func(r *audit.Record) bool {
			return r.Refused && r.Error.Class == "application" && r.Error.Rule == "" && r.Attempts == 0
		}},
		{"an inner middleware's panic", nil, inner(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			panic("the secret prompt")
		}), func(ctx context.Context, c *securebedrock.Client) (err error) {
			defer func() { err = errors.New("recovered: " + recover().(string)) }()
			return unary(ctx, c)
		}, func(r *audit.Record) bool { return r.Error.Class == "panic" }},
		{"an answer that an inner middleware takes away", nil, inner(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
			res, err := next(ctx, call)
			return res, errors.Join(err, errors.New("no"))
		}), stream, func(r *audit.Record) bool { return r.Attempts == 1 && r.Error != nil }},
		{"an answer of an inner middleware's own", nil, inner(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return &securebedrock.Result{Output: &bedrockruntime.ConverseOutput{}}, nil
		}), unary, func(r *audit.Record) bool { return r.Error == nil && r.Attempts == 0 && !r.Refused }},
		{"STS that refuses the role", nil, nil, unary, func(r *audit.Record) bool {
			return r.Error.Class == "service" && r.Error.Service == "STS" && r.Error.Code == "AccessDenied" && r.Attempts == 0 && !r.Refused
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			sink := new(memory)
			changes := []func(*securebedrock.Options){}
			if row.change != nil {
				changes = append(changes, row.change)
			}
			server.Fail("Converse", row.faults...)
			server.Fail("ConverseStream", row.faults...)
			if strings.HasPrefix(row.name, "STS") {
				server.Fail("AssumeRole", bedrocktest.Error(403, "AccessDenied", "secret"))
			}
			_ = row.call(t.Context(), newClient(t, server, sink, audit.Options{}, changes...))
			if _, out := sink.pair(t); !row.check(out) {
				line, _ := out.Line()
				t.Errorf("the outcome is %s", line)
			}
		})
	}
}

// A thousand streams that are cancelled, closed or left to the client's Close
// have a thousand outcomes, with usage where it arrived.
func TestAbandonedStreams(t *testing.T) {
	noGoroutines(t)
	server := bedrocktest.NewServer(t)
	sink := new(memory)
	stats := new(audit.Stats)
	c := newClient(t, server, sink, audit.Options{Stats: stats}, func(o *securebedrock.Options) { o.Retry.MaxAttempts = 1 })
	const n = 1000
	withUsage, left := 0, 0
	for i := range n {
		ctx, cancel := context.WithCancel(t.Context())
		out, err := c.ConverseStream(ctx, converseStream("one two three four five six"))
		if err != nil {
			t.Fatal(err)
		}
		s := out.GetStream()
		switch i % 5 {
		case 0: // cancelled at once
			cancel()
			s.Close()
		case 1: // cancelled after an event
			<-s.Events()
			cancel()
			for range s.Events() {
			}
		case 2: // closed after an event
			<-s.Events()
			s.Close()
		case 3: // its usage read, and then dropped
			for ev := range s.Events() {
				if _, ok := ev.(*types.ConverseStreamOutputMemberMetadata); ok {
					withUsage++
					break
				}
			}
			s.Close()
		case 4: // forgotten
			left++
		}
		defer cancel()
	}
	c.Close()
	records := sink.wait(t, 2*n)
	intents, outcomes, usage := map[string]int{}, map[string]int{}, 0
	for _, r := range records {
		if r.Kind == audit.KindIntent {
			intents[r.CallID]++
			continue
		}
		outcomes[r.CallID]++
		if r.Usage != nil {
			usage++
		}
	}
	for id, k := range intents {
		if k != 1 || outcomes[id] != 1 {
			t.Errorf("call %s has %d intents and %d outcomes", id, k, outcomes[id])
		}
	}
	if len(intents) != n || len(outcomes) != n || usage < withUsage {
		t.Errorf("%d intents, %d outcomes, %d of them with usage, want at least %d", len(intents), len(outcomes), usage, withUsage)
	}
	if stats.Intents.Load() != n || stats.Outcomes.Load() != n || stats.Lost.Load() != 0 {
		t.Errorf("stats: %d, %d, %d", stats.Intents.Load(), stats.Outcomes.Load(), stats.Lost.Load())
	}
	t.Logf("%d forgotten, %d read to the usage, %d outcomes with usage", left, withUsage, usage)
}

func TestACallThatCannotBeRecordedIsRefused(t *testing.T) {
	server := bedrocktest.NewServer(t)
	broken := true
	sink := &memory{}
	sink.fail = func(*audit.Record) error {
		if broken {
			return errSink
		}
		return nil
	}
	stats := new(audit.Stats)
	var lost []*audit.Record
	c := newClient(t, server, sink, audit.Options{Stats: stats, OnLost: func(r *audit.Record, err error) {
		if !errors.Is(err, errSink) {
			t.Errorf("lost for %v", err)
		}
		lost = append(lost, r)
	}})
	_, err := c.Converse(t.Context(), converse("hello"))
	if !errors.Is(err, securebedrock.ErrAudit) || !errors.Is(err, errSink) {
		t.Errorf("got %v", err)
	}
	if n := len(server.Calls()); n != 0 {
		t.Errorf("%d requests arrived", n)
	}
	if len(lost) != 2 || lost[0].Kind != audit.KindIntent || lost[1].Kind != audit.KindOutcome || lost[1].Error.Rule != "audit" || !lost[1].Refused {
		t.Errorf("lost %+v", lost)
	}
	broken = false
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	if in, _ := sink.pair(t); in.Lost != 2 {
		t.Errorf("the next record tells of %d lost ones, want 2", in.Lost)
	}
	if stats.Refused.Load() != 1 || stats.Lost.Load() != 2 {
		t.Errorf("stats %d refused, %d lost", stats.Refused.Load(), stats.Lost.Load())
	}
}

func TestFailOpenSaysWhy(t *testing.T) {
	server := bedrocktest.NewServer(t)
	sink := &memory{fail: func(r *audit.Record) error {
		if r.Kind == audit.KindIntent {
			return errSink
		}
		return nil
	}}
	c := newClient(t, server, sink, audit.Options{FailOpen: "availability first, risk 12"})
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	out := sink.wait(t, 1)[0]
	if out.Kind != audit.KindOutcome || out.FailOpen != "availability first, risk 12" || out.Lost != 1 {
		t.Errorf("record %+v", out)
	}
}

func TestOutcomeIsWrittenAgain(t *testing.T) {
	for _, row := range []struct {
		name            string
		failures        int
		written, losses int
	}{
		{"after two failures it is there", 2, 1, 0},
		{"after four it is lost, and told", 4, 0, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			failures := row.failures
			sink := &memory{fail: func(r *audit.Record) error {
				if r.Kind == audit.KindOutcome && failures > 0 {
					failures--
					return errSink
				}
				return nil
			}}
			losses := 0
			c := newClient(t, server, sink, audit.Options{OnLost: func(*audit.Record, error) { losses++ }})
			if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
				t.Fatal(err)
			}
			sink.wait(t, 1+row.written)
			if losses != row.losses {
				t.Errorf("%d lost, want %d", losses, row.losses)
			}
		})
	}
}

func TestSinkThatPanicsRefusesTheCall(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, audit.SinkFunc(func(context.Context, *audit.Record) error { panic("sink") }), audit.Options{})
	if _, err := c.Converse(t.Context(), converse("hello")); !errors.Is(err, securebedrock.ErrAudit) {
		t.Errorf("got %v", err)
	}
}

func TestSlowSinkRefusesInTime(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, audit.SinkFunc(func(ctx context.Context, _ *audit.Record) error {
		<-ctx.Done()
		return ctx.Err()
	}), audit.Options{WriteTimeout: 50 * time.Millisecond})
	start := time.Now()
	_, err := c.Converse(t.Context(), converse("hello"))
	if !errors.Is(err, securebedrock.ErrAudit) || time.Since(start) > 10*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}

// The outcome of a call that was cancelled is written all the same, to a sink that
// heeds its context.
func TestOutcomeOutlivesTheCall(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("Converse", bedrocktest.StallHeaders())
	kept := new(memory)
	c := newClient(t, server, audit.SinkFunc(func(ctx context.Context, r *audit.Record) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return kept.Write(ctx, r)
	}), audit.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := c.Converse(ctx, converse("hello")); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if _, out := kept.pair(t); !out.Canceled {
		t.Errorf("%+v", out)
	}
}

// A panic in a function of the application's leaves no call without its two
// records, and the record says what is missing.
func TestPanicsLeaveBothRecords(t *testing.T) {
	redacted := func(r audit.Redactor) audit.Options {
		return audit.Options{Content: audit.ContentPolicy{Mode: audit.ContentRedacted, Redactor: r}}
	}
	withheld := func(c *audit.Content) bool {
		return c != nil && len(c.Blocks) > 0 && c.Blocks[0].Withheld == "redactor_panicked" && c.Blocks[0].Text == ""
	}
	unary := func(c *securebedrock.Client) error {
		_, err := c.Converse(context.Background(), converse("question"))
		return err
	}
	stream := func(c *securebedrock.Client) error {
		out, err := c.ConverseStream(context.Background(), converseStream("question"))
		if err != nil {
			return err
		}
		for range out.GetStream().Events() {
		}
		return errors.Join(out.GetStream().Err(), out.GetStream().Close())
	}
	for _, row := range []struct {
		name  string
		opts  audit.Options
		call  func(c *securebedrock.Client) error
		ok    bool
		check func(in, out *audit.Record) bool
	}{
		{"a Redactor over the prompt", redacted(redactIf("question")), unary, true, func(in, out *audit.Record) bool {
			return withheld(in.Input) && in.Input.Kinds["text"] == 1 && out.Output.Blocks[0].Withheld == ""
		}},
		{"a Redactor over an answer", redacted(redactIf("answer")), unary, true, func(in, out *audit.Record) bool {
			return in.Input.Blocks[0].Text == "question" && withheld(out.Output) && out.Usage != nil
		}},
		{"a Redactor over a stream's answer", redacted(redactIf("answer")), stream, true, func(in, out *audit.Record) bool {
			return in.Input.Blocks[0].Text == "question" && withheld(out.Output) && out.Usage != nil
		}},
		{"a Redactor over all", redacted(panicking{}), func(c *securebedrock.Client) error {
			_, err := c.InvokeModel(context.Background(), &bedrockruntime.InvokeModelInput{ModelId: converse("").ModelId, Body: invokeBody("question")})
			return err
		}, true, func(in, out *audit.Record) bool { return withheld(in.Input) && withheld(out.Output) }},
		{"a document of the prompt", redacted(audit.Patterns()), func(c *securebedrock.Client) (err error) {
			defer func() { // the SDK marshals it, too, on the caller's goroutine
				if v := recover(); v != nil {
					err = errors.New("a panic")
				}
			}()
			in := converse("question")
			in.AdditionalModelRequestFields = panicDocument{document(1)}
			_, err = c.Converse(context.Background(), in)
			return err
		}, false, func(in, out *audit.Record) bool {
			return in.Input.Incomplete && in.Input.Blocks[0].Text == "question"
		}},
		{"a nil block of the prompt", redacted(audit.Patterns()), func(c *securebedrock.Client) (err error) {
			defer func() { // in the SDK, on the caller's goroutine
				if v := recover(); v != nil {
					err = errors.New("a panic")
				}
			}()
			in := converse("question")
			in.Messages[0].Content = append(in.Messages[0].Content, (*types.ContentBlockMemberText)(nil))
			_, err = c.Converse(context.Background(), in)
			return err
		}, false, func(in, _ *audit.Record) bool {
			return in.Input.Incomplete && in.Input.Blocks[0].Text == "question"
		}},
	} {
		t.Run(row.name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
				return bedrocktest.Text("answer"), nil
			})
			sink := new(memory)
			c := newClient(t, server, sink, row.opts)
			func() {
				defer func() {
					if v := recover(); v != nil && row.ok {
						t.Errorf("the panic reached the caller: %v", v)
					}
				}()
				if err := row.call(c); (err == nil) != row.ok {
					t.Errorf("got %v", err)
				}
			}()
			if in, out := sink.pair(t); !row.check(in, out) {
				a, _ := in.Line()
				b, _ := out.Line()
				t.Errorf("the records are\n%s\n%s", a, b)
			}
		})
	}
}

func TestPanicInAnErrorsMethod(t *testing.T) {
	sink := new(memory)
	h := record(t, sink, audit.Options{})(func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { return nil, strangeError{} })
	if _, err := h(t.Context(), &securebedrock.Call{ID: "A", Operation: "Converse"}); err != (strangeError{}) {
		t.Errorf("got %v", err)
	}
	if _, out := sink.pair(t); out.Error == nil || out.Error.Class != "other" {
		t.Errorf("the outcome is %+v", out)
	}
}

// OnLost that panics or hangs holds up no call, and is counted.
func TestOnLostThatPanicsOrHangs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	for name, onLost := range map[string]func(*audit.Record, error){
		"panics":                func(*audit.Record, error) { panic("the secret prompt") },
		"hangs":                 func(*audit.Record, error) { <-release },
		"ends its goroutine":    func(*audit.Record, error) { runtime.Goexit() },
		"writes to a nil place": func(r *audit.Record, _ error) { *(*int)(nil) = len(r.CallID) },
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			stats := new(audit.Stats)
			sink := &memory{fail: func(*audit.Record) error { return errSink }}
			c := newClient(t, server, sink, audit.Options{WriteTimeout: 100 * time.Millisecond, OnLost: onLost, Stats: stats})
			start := time.Now()
			for range 5 {
				if _, err := c.Converse(t.Context(), converse("hello")); !errors.Is(err, securebedrock.ErrAudit) || !errors.Is(err, errSink) {
					t.Errorf("got %v", err)
				}
			}
			if took := time.Since(start); took > soon || stats.Untold.Load() != 10 || stats.Lost.Load() != 10 {
				t.Errorf("after %v: %d lost, %d untold, want 10 of each", took, stats.Lost.Load(), stats.Untold.Load())
			}
		})
	}
}

type panicking struct{}

func (panicking) Redact(string) string { panic("the secret prompt") }

// redactIf panics over texts that hold a word.
type redactIf string

func (w redactIf) Redact(text string) string {
	if strings.Contains(text, string(w)) {
		panic("the secret prompt")
	}
	return text
}

// strangeError panics where errors.Is looks into it.
type strangeError struct{}

func (strangeError) Error() string { return "strange" }

func (strangeError) Is(error) bool { panic("the secret prompt") }

type panicDocument struct{ bedrockdoc.Interface }

func (panicDocument) MarshalSmithyDocument() ([]byte, error) { panic("the secret prompt") }

// A client of another service ends its calls by NewResult, and is recorded like this
// package's own.
func TestCallOfAnotherClient(t *testing.T) {
	sink := new(memory)
	var end func(securebedrock.Outcome) bool
	handler := record(t, sink, audit.Options{})(func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) {
		var res *securebedrock.Result
		res, end = securebedrock.NewResult("an answer", nil)
		res.OnDone(func(securebedrock.Outcome) { panic("a function of the application's") })
		return res, nil
	})
	res, err := handler(t.Context(), &securebedrock.Call{ID: "CALL", Operation: "InvokeAgent", Region: "eu-central-1", Start: time.Now()})
	if err != nil || res.Output != "an answer" {
		t.Fatalf("%v, %v", res, err)
	}
	if n := len(sink.all()); n != 1 {
		t.Fatalf("%d records before the call has ended", n)
	}
	if !end(securebedrock.Outcome{RequestID: "REQUEST", Attempts: 1}) || end(securebedrock.Outcome{RequestID: "ANOTHER"}) {
		t.Error("the first end is the call's, and no other")
	}
	intent, outcome := sink.pair(t)
	if intent.Operation != "InvokeAgent" || outcome.RequestID != "REQUEST" || outcome.Attempts != 1 {
		t.Errorf("records %+v, %+v", intent, outcome)
	}
	late := ""
	res.OnDone(func(o securebedrock.Outcome) { late = o.RequestID })
	if late != "REQUEST" {
		t.Errorf("a function that comes late gets %q", late)
	}
}
