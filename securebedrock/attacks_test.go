package securebedrock_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// The configuration's ClientLogMode is taken over: each mode writes what it is for,
// and only a mode with bodies writes a prompt. The calls succeed with every mode.
func TestLogModes(t *testing.T) {
	const prompt = "a prompt to look for"
	for name, row := range map[string]struct {
		mode   aws.ClientLogMode
		writes []string
		body   bool
	}{
		"none":         {0, nil, false},
		"request":      {aws.LogRequest, []string{"DEBUG Request\n", "POST /model/"}, false},
		"requestBody":  {aws.LogRequestWithBody, []string{"DEBUG Request\n", "POST /model/"}, true},
		"response":     {aws.LogResponse, []string{"DEBUG Response\n", "200 OK"}, false},
		"responseBody": {aws.LogResponseWithBody, []string{"DEBUG Response\n", "200 OK", `"stopReason"`}, true}, // the answer repeats the prompt
		"retries":      {aws.LogRetries, []string{"retrying request"}, false},
		"signing":      {aws.LogSigning, []string{"DEBUG Request Signature:"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			var log bytes.Buffer
			cfg.ClientLogMode = row.mode
			cfg.Logger = logging.NewStandardLogger(&log)
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			if name == "retries" {
				server.Fail("Converse", bedrocktest.ServerError(503, 1))
			}
			if _, err := c.Converse(t.Context(), converse(prompt)); err != nil {
				t.Error(err)
			}
			out, err := c.ConverseStream(t.Context(), converseStream(prompt))
			if err != nil {
				t.Fatal(err)
			}
			if text, err := drain(out.GetStream()); err != nil || text == "" {
				t.Error(text, err)
			}
			for _, want := range row.writes {
				if !strings.Contains(log.String(), want) {
					t.Errorf("the log has no %q:\n%s", want, &log)
				}
			}
			if len(row.writes) == 0 && log.Len() > 0 {
				t.Errorf("the log is not empty:\n%s", &log)
			}
			if got := strings.Contains(log.String(), prompt); got != row.body {
				t.Errorf("the prompt stands in the log: %t, want %t:\n%s", got, row.body, &log)
			}
		})
	}
}

// middleware keeps Call.Model in step
func TestModelForged(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		id := "global." + haiku
		call.Input.(*bedrockruntime.ConverseInput).ModelId = &id
		call.Model.ID = id // keep the record in step
		return next(ctx, call)
	}))
	_, err := c.Converse(t.Context(), converse("a secret"))
	refusedBy(t, err, securebedrock.ErrResidency)
	nothingArrived(t, server)
}

// middleware sets Unguarded
func TestUnguardedForged(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		call.Unguarded = "n/a"
		return next(ctx, call)
	}))
	_, err := c.StartAsyncInvoke(t.Context(), startAsync())
	refusedBy(t, err, securebedrock.ErrUnguardedOperation)
	nothingArrived(t, server)
}

// inner middleware refuses with nil result, outer uses OnDone
func TestNilResultBetweenMiddleware(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		return nil, errors.New("rate limited")
	}))
	_, err := c.Converse(t.Context(), converse("a secret"))
	if err == nil {
		t.Fatal("no error")
	}
	if r := rec.one(t); r.outcome.Err == nil {
		t.Errorf("the record shows no error: %+v", r.outcome)
	}
}

func TestOwnResultWithErrorIsRecorded(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		return &securebedrock.Result{}, errors.New("rate limited")
	}))
	c.Converse(t.Context(), converse("a secret"))
	if r := rec.one(t); r.outcome.Err == nil {
		t.Errorf("the record shows no error: %+v", r.outcome)
	}
}

// middleware drops a stream with an error
func TestMiddlewareDropsStream(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		if _, err := next(ctx, call); err != nil {
			return nil, err
		}
		return nil, securebedrock.ErrAudit
	}), rec.option)
	_, err := c.ConverseStream(context.Background(), converseStream(longPrompt))
	if !errors.Is(err, securebedrock.ErrAudit) {
		t.Fatal(err)
	}
	time.Sleep(500 * time.Millisecond)
	if n := streamGoroutines(); n != 0 {
		t.Errorf("%d goroutines serve a stream that nobody has", n)
	}
	rec.one(t)
}

// Client.Close under a reader
func TestCloseUnderReader(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallStream(4))
	c := newClient(t, server)
	out, err := c.ConverseStream(t.Context(), converseStream(longPrompt))
	if err != nil {
		t.Fatal(err)
	}
	go func() { time.Sleep(200 * time.Millisecond); c.Close() }()
	text, err := drain(out.GetStream())
	if err == nil {
		t.Errorf("a short answer %q without an error", text)
	}
}

// mocked stream output by an SDK middleware
func TestMockedStream(t *testing.T) {
	for name, result := range map[string]any{"empty": &bedrockruntime.ConverseStreamOutput{}, "nil": nil} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			cfg := server.Config()
			cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
				return s.Initialize.Add(middleware.InitializeMiddlewareFunc("mock", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					return middleware.InitializeOutput{Result: result}, middleware.Metadata{}, nil
				}), middleware.Before)
			})
			c, err := securebedrock.NewFromConfig(cfg, server.Options())
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if p := recover(); p != nil {
					t.Errorf("panic: %v", p)
				}
			}()
			func() {
				out, err := c.ConverseStream(t.Context(), converseStream("x"))
				t.Log(out, err)
			}()
			c.Close()
		})
	}
}

// record of a rewritten model
type toNova struct{}

func (toNova) BeforeSerialization(_ context.Context, in *smithyhttp.InterceptorContext) error {
	in.Input.(*bedrockruntime.ConverseInput).ModelId = aws.String("amazon.nova-lite-v1:0")
	return nil
}

func TestRecordNamesTheModelSent(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	cfg := server.Config()
	cfg.Interceptors.AddBeforeSerialization(toNova{})
	o := server.Options()
	rec.option(&o)
	c, err := securebedrock.NewFromConfig(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := converse("hello")
	_, err = c.Converse(t.Context(), in)
	if err != nil {
		return
	}
	sent := calls(server, "Converse")[0].ModelID
	if r := rec.one(t); r.call.Model.ID != sent {
		t.Errorf("sent %s, recorded %s", sent, r.call.Model.ID)
	}
}

func TestRecordHasResolvedRegions(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, func(o *opts) { o.Profiles = resolver{regions: []string{"us-east-1"}} })
	in := converse("hello")
	in.ModelId = aws.String("us." + haiku)
	if _, err := c.Converse(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if r := rec.one(t); len(r.call.Model.Regions) == 0 {
		t.Errorf("the record has no regions: %+v", r.call.Model)
	}
}

// zero client
func TestWrapZeroClient(t *testing.T) {
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("panic: %v", p)
		}
	}()
	_, err := securebedrock.Wrap(new(bedrockruntime.Client), opts{Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"},
		Role: &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/app", STS: &shortSTS{}}})
	t.Log(err)
	_, err = securebedrock.NewFromConfig(aws.Config{}, opts{Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "g1", Version: "1"}})
	t.Log(err)
}

// case of the body key
func TestBodyKeyCase(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	_, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku),
		Body: []byte(`{"amazon-bedrock-guardrailconfig":{"tagSuffix":"x"},"messages":[]}`)})
	refusedBy(t, err, securebedrock.ErrGuardrailCoverage)
}

// metadata, pagination
func TestResultMetadata(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	for name, f := range map[string]func(context.Context, *bedrockruntime.ConverseInput, ...func(*sdkOptions)) (*bedrockruntime.ConverseOutput, error){"c": c.Converse, "r": c.Runtime().Converse} {
		out, err := f(t.Context(), converse("x"))
		if err != nil {
			t.Fatal(err)
		}
		if id, ok := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata); !ok || id == "" {
			t.Error(name, "no request id")
		}
		if raw := awsmiddleware.GetRawResponse(out.ResultMetadata); raw == nil {
			t.Error(name, "no raw response")
		}
	}
	p := bedrockruntime.NewListAsyncInvokesPaginator(c, &bedrockruntime.ListAsyncInvokesInput{})
	for p.HasMorePages() {
		if _, err := p.NextPage(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	out, err := c.ConverseStream(t.Context(), converseStream("x"))
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata); !ok || id == "" {
		t.Error("stream no request id")
	}
	drain(out.GetStream())
	for _, call := range server.Calls() {
		t.Log(call.Operation, call.Header.Get("User-Agent"))
	}
}

// Deserialize middleware on Runtime per call
func TestRuntimeDeserializeMiddlewareRuns(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	for name, f := range map[string]func(context.Context, *bedrockruntime.ConverseInput, ...func(*sdkOptions)) (*bedrockruntime.ConverseOutput, error){"c": c.Converse, "r": c.Runtime().Converse} {
		ran := false
		_, err := f(t.Context(), converse("x"), func(o *sdkOptions) {
			o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
				return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("m", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
					ran = true
					return next.HandleDeserialize(ctx, in)
				}), middleware.After)
			})
		})
		if !ran && !errors.Is(err, securebedrock.ErrConfig) {
			t.Error(name, "the middleware did not run, and nobody says so")
		}
	}
}

// abandoned pass
func TestAbandonedPass(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallHeadersFor(300*time.Millisecond))
	rec := new(recorder)
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		done := make(chan struct{})
		var res *securebedrock.Result
		var err error
		go func() { res, err = next(ctx, call); close(done) }()
		select {
		case <-done:
			return res, err
		case <-time.After(100 * time.Millisecond):
			return &securebedrock.Result{}, errors.New("too slow")
		}
	}), rec.option)
	_, err := c.ConverseStream(context.Background(), converseStream("hello"))
	if err == nil {
		t.Fatal("?")
	}
	time.Sleep(time.Second)
	if n := streamGoroutines(); n != 0 {
		t.Errorf("%d goroutines left", n)
	}
}

// nil-ness and misc
func TestCancelBeforeCall(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	time.Sleep(time.Millisecond)
	_, err := c.Converse(ctx, converse("x"))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	if o := rec.one(t).outcome; o.Attempts != 0 || o.Err == nil {
		t.Errorf("outcome %+v", o)
	}
}
