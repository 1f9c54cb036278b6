package securebedrock_test

import (
	"context"
	"errors"
	"runtime"
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

// A stream that the application's own middleware fails after it began is freed.
func TestStreamFailedByTheApplicationIsFreed(t *testing.T) {
	server := bedrocktest.NewServer(t, bedrocktest.WithHTTP1())
	server.Fail("ConverseStream", bedrocktest.StallStream(3))
	cfg := server.Config()
	cfg.APIOptions = append(cfg.APIOptions, func(s *middleware.Stack) error {
		return s.Initialize.Add(middleware.InitializeMiddlewareFunc("fail", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (out middleware.InitializeOutput, md middleware.Metadata, err error) {
			if _, _, err = next.HandleInitialize(ctx, in); err == nil {
				time.Sleep(100 * time.Millisecond) // the SDK is reading ahead by now
				err = errAny
			}
			return out, md, err
		}), middleware.Before)
	})
	o := server.Options()
	o.Role = nil
	c, err := securebedrock.NewFromConfig(cfg, o)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ConverseStream(t.Context(), converseStream(longPrompt)); !errors.Is(err, errAny) {
		t.Fatalf("got %v", err)
	}
	c.Close()
	settled(t, "no stream left", func() bool { return streamGoroutines() == 0 })
	settled(t, "no connection left", func() bool { return server.Connections() == 0 })
}
