package soak

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

var (
	soakFor = flag.Duration("soak", 8*time.Second, "how long the soak lasts")
	callers = flag.Int("callers", 16, "callers of the soak")
	http1   = flag.Bool("http1", false, "soak over HTTP/1.1")
	resets  = flag.Float64("resets", 0, "share of calls that meet a reset connection")
)

const callBound = 8 * time.Second

// A fifth of the requests fail, and a tenth of the calls are cancelled. Each call ends
// within its bound, with an error of a known kind and one record. The client releases
// what it held.
func TestSoak(t *testing.T) {
	how := "faults"
	if *http1 {
		how += " http1"
	}
	b := start(t, how)
	before := used(t)
	r := new(records)
	c := b.client(t, r, securebedrock.Timeouts{Connect: 2 * time.Second, Read: time.Second, Call: callBound})

	var (
		wg        sync.WaitGroup
		done      atomic.Int64
		cancelled atomic.Int64
		mu        sync.Mutex
		classes   = map[string]int{}
		latencies []time.Duration
	)
	end := time.Now().Add(*soakFor)
	for range *callers {
		wg.Go(func() {
			for time.Now().Before(end) {
				ctx, cancel := context.WithCancel(t.Context())
				if rand.IntN(10) == 0 {
					cancelled.Add(1)
					timer := time.AfterFunc(time.Duration(rand.IntN(int(100*time.Millisecond))), cancel)
					defer timer.Stop()
				}
				began := time.Now()
				err := oneCall(ctx, c)
				took := time.Since(began)
				cancel()
				done.Add(1)
				class := classOf(err)
				mu.Lock()
				classes[class]++
				latencies = append(latencies, took)
				mu.Unlock()
				if strings.HasPrefix(class, "unexpected") {
					t.Errorf("%s: %v", class, err)
				}
				if took > callBound+2*time.Second {
					t.Errorf("a call took %v: %v", took, err)
				}
			}
		})
	}
	resetCount := 0
	for *resets > 0 && time.Now().Before(end) {
		// Each reset affects the calls of all callers.
		if float64(done.Load()) >= float64(resetCount+1)*float64(*callers) / *resets {
			remove := b.toxic(t, "reset_peer", "downstream", map[string]any{"timeout": 0})
			time.Sleep(5 * time.Millisecond)
			remove()
			resetCount++
		}
		time.Sleep(5 * time.Millisecond)
	}
	wg.Wait()
	calls, wrong := r.complete()
	if calls != int(done.Load()) || wrong != 0 {
		t.Errorf("%d calls were made, %d recorded, of which %d have not exactly one Outcome", done.Load(), calls, wrong)
	}
	c.Close()
	slices.Sort(latencies)
	at := func(q float64) time.Duration {
		return latencies[int(q*float64(len(latencies)-1))].Round(time.Millisecond)
	}
	t.Logf("%d calls in %v by %d callers (HTTP/1.1: %v), %d cancelled or to be, %d resets; %d attempts, %d throttled, %v waited in all; latency p50 %v, p99 %v, max %v; %v",
		calls, *soakFor, *callers, *http1, cancelled.Load(), resetCount, r.attempts, r.throttle, r.waited.Round(time.Second), at(0.5), at(0.99), at(1), classes)
	if *resets > 0 && resetCount == 0 && *soakFor > time.Minute {
		t.Error("no connection was reset")
	}
	r.mu.Lock()
	r.calls = nil
	r.mu.Unlock()
	latencies = nil
	t.Logf("before %+v, after %+v", before, backTo(t, before))
}

// api is what the guarded client and the plain client have.
type api interface {
	Converse(context.Context, *bedrockruntime.ConverseInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseOutput, error)
	ConverseStream(context.Context, *bedrockruntime.ConverseStreamInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseStreamOutput, error)
	InvokeModel(context.Context, *bedrockruntime.InvokeModelInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.InvokeModelOutput, error)
	InvokeModelWithResponseStream(context.Context, *bedrockruntime.InvokeModelWithResponseStreamInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.InvokeModelWithResponseStreamOutput, error)
	ApplyGuardrail(context.Context, *bedrockruntime.ApplyGuardrailInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ApplyGuardrailOutput, error)
	CountTokens(context.Context, *bedrockruntime.CountTokensInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.CountTokensOutput, error)
}

// oneCall makes a call of a random kind. It reads a stream to the end, and closes one
// stream in ten early.
func oneCall(ctx context.Context, c api) error {
	models := []string{"anthropic.claude-3-haiku-20240307-v1:0", "anthropic.claude-3-sonnet-20240229-v1:0", "amazon.nova-lite-v1:0", "amazon.nova-pro-v1:0"}
	model := aws.String(models[rand.IntN(len(models))])
	messages := []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Name one river."}}}}
	body := []byte(`{"anthropic_version":"bedrock-2023-05-31","max_tokens":64,"messages":[{"role":"user","content":"Name one river."}]}`)
	var err error
	switch rand.IntN(6) {
	case 0:
		_, err = c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: model, Messages: messages})
	case 1:
		var out *bedrockruntime.ConverseStreamOutput
		if out, err = c.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: model, Messages: messages}); err == nil {
			err = read(out.GetStream().Events(), out.GetStream())
		}
	case 2:
		_, err = c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(models[0]), Body: body, ContentType: aws.String("application/json")})
	case 3:
		var out *bedrockruntime.InvokeModelWithResponseStreamOutput
		if out, err = c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(models[1]), Body: body, ContentType: aws.String("application/json")}); err == nil {
			err = read(out.GetStream().Events(), out.GetStream())
		}
	case 4:
		_, err = c.ApplyGuardrail(ctx, &bedrockruntime.ApplyGuardrailInput{GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"),
			Source: types.GuardrailContentSourceInput, Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("hello")}}}})
	default:
		_, err = c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: model, Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: messages}}})
	}
	return err
}

func read[E any](events <-chan E, stream interface {
	Err() error
	Close() error
}) error {
	defer stream.Close()
	if rand.IntN(10) == 0 {
		<-events
		return nil
	}
	for range events {
	}
	return stream.Err()
}

// classOf sorts errors into the kinds that the faults can cause.
func classOf(err error) string {
	var api smithy.APIError
	var send *smithyhttp.RequestSendError
	var cut *smithy.DeserializationError
	switch {
	case err == nil:
		return "answered"
	case errors.Is(err, context.Canceled):
		return "cancelled"
	case errors.Is(err, securebedrock.ErrReadTimeout):
		return "read timeout"
	case errors.Is(err, securebedrock.ErrConnectTimeout):
		return "connect timeout"
	case errors.Is(err, securebedrock.ErrCallTimeout):
		return "call timeout"
	case errors.Is(err, securebedrock.ErrStreamTruncated):
		return "stream truncated"
	case errors.As(err, &api):
		return api.ErrorCode()
	case errors.As(err, &send):
		return "connection"
	case errors.As(err, &cut), errors.Is(err, io.ErrUnexpectedEOF), strings.Contains(err.Error(), "connection reset"), strings.Contains(err.Error(), "stream error"):
		return "answer cut"
	}
	return fmt.Sprintf("unexpected %T", err)
}
