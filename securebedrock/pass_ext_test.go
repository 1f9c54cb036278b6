package securebedrock_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Attempts counts what the gate has let through, not what was tried before it.
func TestNothingSentIsNoAttempt(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, func(o *opts) {
		o.Role = &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/app", STS: failingSTS{}}
	})
	if _, err := c.Converse(t.Context(), converse("a secret")); !errors.Is(err, errSTSDown) {
		t.Errorf("got %v", err)
	}
	if n := rec.one(t).outcome.Attempts; n != 0 {
		t.Errorf("%d attempts are recorded and none was sent", n)
	}
}

// A next that is kept and called when the call is over sends nothing.
func TestNextAfterTheCall(t *testing.T) {
	server := bedrocktest.NewServer(t)
	var later func() (*securebedrock.Result, error)
	c := newClient(t, server, around(func(ctx context.Context, call *securebedrock.Call, next securebedrock.Handler) (*securebedrock.Result, error) {
		later = func() (*securebedrock.Result, error) { return next(ctx, call) }
		return nil, errAny
	}))
	if _, err := c.Converse(t.Context(), converse("a secret")); !errors.Is(err, errAny) {
		t.Fatal(err)
	}
	_, err := later()
	refusedBy(t, err, securebedrock.ErrConfig)
	nothingArrived(t, server)
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

func TestCancelledCallIsRecordedAsSuch(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("Converse", bedrocktest.StallHeaders())
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(200*time.Millisecond, cancel)
	_, err := c.Converse(ctx, converse("hello"))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if r := rec.one(t); !r.outcome.Canceled {
		t.Errorf("outcome %+v", r.outcome)
	}
}

func TestClosedClientRefuses(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option)
	c.Close()
	c.Close()
	_, err := c.Converse(t.Context(), converse("a secret"))
	refusedBy(t, err, securebedrock.ErrClosed)
	if r := rec.one(t); r.outcome.Err == nil {
		t.Error("the refusal is not recorded")
	}
	nothingArrived(t, server)
}

func TestMiddlewareAnswersAStreamWrongly(t *testing.T) {
	for _, out := range []any{bedrocktest.Text("x"), (*bedrockruntime.ConverseStreamOutput)(nil), nil} {
		server := bedrocktest.NewServer(t)
		c := newClient(t, server, around(func(context.Context, *securebedrock.Call, securebedrock.Handler) (*securebedrock.Result, error) {
			return &securebedrock.Result{Output: out}, nil
		}))
		_, err := c.ConverseStream(t.Context(), converseStream("hello"))
		refusedBy(t, err, securebedrock.ErrConfig)
	}
}

// What the middleware has recorded, booked and checked is what is sent.
func TestInputRewrittenBehindTheMiddleware(t *testing.T) {
	for where, option := range rewriters() {
		for _, operation := range []string{"Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream", "StartAsyncInvoke", "ApplyGuardrail"} {
			for _, side := range []string{"Client", "Runtime", "configuration"} {
				t.Run(operation+" "+where+", "+side, func(t *testing.T) {
					server := bedrocktest.NewServer(t)
					rec := new(recorder)
					options := server.Options()
					excuseAll(&options)
					rec.option(&options)
					var sdk sdkOptions
					option(&sdk)
					cfg := server.Config()
					cfg.APIOptions = nil // as a user's is: nothing but what the row brings
					if side == "configuration" {
						cfg.APIOptions = append(cfg.APIOptions, sdk.APIOptions...)
						cfg.Interceptors = sdk.Interceptors
					}
					c, err := securebedrock.NewFromConfig(cfg, options)
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					switch side {
					case "Client":
						err = invoke(t.Context(), c, operation, anInput()[operation], option)
					case "Runtime":
						err = invoke(t.Context(), c.Runtime(), operation, anInput()[operation], option)
					default:
						err = invoke(t.Context(), c, operation, anInput()[operation])
					}
					refusedBy(t, err, securebedrock.ErrEndpoint)
					if o := rec.one(t).outcome; o.Err == nil {
						t.Error("the record does not tell of the refusal")
					}
					nothingArrived(t, server)
				})
			}
		}
	}
}

// Steps that only look leave a call alone, whatever order the SDK writes a map in.
func TestStepsThatOnlyLook(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, excuseAll, new(recorder).option)
	look := func(o *sdkOptions) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
			return s.Serialize.Add(middleware.SerializeMiddlewareFunc("look", func(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (middleware.SerializeOutput, middleware.Metadata, error) {
				return next.HandleSerialize(ctx, in)
			}), middleware.Before)
		})
	}
	for range 20 {
		in := converse("hello")
		in.RequestMetadata = map[string]string{"a": "1", "b": "2", "c": "3", "d": "4", "e": "5"}
		if _, err := c.Converse(t.Context(), in, look); err != nil {
			t.Fatal(err)
		}
	}
	for operation, input := range anInput() {
		if operation == "GetAsyncInvoke" {
			continue
		}
		if err := invoke(t.Context(), c, operation, input, look); err != nil {
			t.Errorf("%s: %v", operation, err)
		}
	}
}

// orderly sends half an answer, and ends it in order once the request is cancelled: so
// does a server that sees the connection close.
type orderly struct {
	contentType string
	half        []byte
}

func (o orderly) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	body := io.MultiReader(bytes.NewReader(o.half), endOf(r.Context().Done()))
	return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {o.contentType}}, Body: io.NopCloser(body), Request: r}, nil
}

type endOf <-chan struct{}

func (c endOf) Read([]byte) (int, error) { <-c; return 0, io.EOF }

// An answer whose end came with the end of its context is an error, and not a short
// answer. Nothing else would tell of a short body of an InvokeModel or of its stream.
func TestAnswerOfACancelledCallIsNotShort(t *testing.T) {
	body := []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":10,"messages":[{"role":"user","content":"hello"}]}`)
	for _, op := range []struct {
		name   string
		answer orderly
		call   func(ctx context.Context, c *securebedrock.Client) error
	}{
		{"InvokeModel", orderly{"application/json", []byte(`{"completion":"half`)}, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: body})
			return err
		}},
		{"Converse", orderly{"application/json", []byte(`{"output":`)}, func(ctx context.Context, c *securebedrock.Client) error {
			_, err := c.Converse(ctx, converse("hello"))
			return err
		}},
		{"InvokeModelWithResponseStream", orderly{"application/vnd.amazon.eventstream", eventFrame(t, "chunk", `{"bytes":"e30="}`)}, func(ctx context.Context, c *securebedrock.Client) error {
			out, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(haiku), Body: body})
			if err != nil {
				return err
			}
			defer out.GetStream().Close()
			for range out.GetStream().Events() {
			}
			return out.GetStream().Err()
		}},
	} {
		for _, row := range []struct {
			name    string
			context func() (context.Context, context.CancelFunc)
			bounds  securebedrock.Timeouts
			is      error
		}{
			{"cancelled", func() (context.Context, context.CancelFunc) {
				ctx, cancel := context.WithCancel(t.Context())
				time.AfterFunc(50*time.Millisecond, cancel)
				return ctx, cancel
			}, securebedrock.Timeouts{}, context.Canceled},
			{"the caller's deadline", func() (context.Context, context.CancelFunc) {
				return context.WithTimeout(t.Context(), 50*time.Millisecond)
			}, securebedrock.Timeouts{}, context.DeadlineExceeded},
			{"Timeouts.Call", func() (context.Context, context.CancelFunc) { return t.Context(), func() {} },
				securebedrock.Timeouts{Call: 50 * time.Millisecond}, securebedrock.ErrCallTimeout},
			{"Timeouts.Read", func() (context.Context, context.CancelFunc) { return t.Context(), func() {} },
				securebedrock.Timeouts{Read: 50 * time.Millisecond}, securebedrock.ErrReadTimeout},
		} {
			t.Run(op.name+", "+row.name, func(t *testing.T) {
				rec := new(recorder)
				c := newClient(t, bedrocktest.NewServer(t), rec.option, func(o *securebedrock.Options) { o.Timeouts = row.bounds })
				c.OverRoundTripper(op.answer)
				ctx, cancel := row.context()
				defer cancel()
				if err := op.call(ctx, c); !errors.Is(err, row.is) {
					t.Errorf("got %v", err)
				}
				if outcome := rec.one(t).outcome; !errors.Is(outcome.Err, row.is) || outcome.Canceled != errors.Is(row.is, context.Canceled) {
					t.Errorf("recorded %v, canceled %v", outcome.Err, outcome.Canceled)
				}
			})
		}
	}
}
