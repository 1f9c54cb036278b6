package securebedrock_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// journal is a numbered list of what happened.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) note(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf("%02d ", len(j.lines)+1)+fmt.Sprintf(format, args...))
}

func (j *journal) layer(name string) securebedrock.Middleware {
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			j.note("%s in", name)
			res, err := next(ctx, call)
			j.note("%s out", name)
			res.OnDone(func(o securebedrock.Outcome) {
				j.note("%s done: attempts %d, %s", name, o.Attempts, o.StopReason)
			})
			return res, err
		}
	}
}

// spy is a caller's own middleware around one of the guard's steps.
func (j *journal) spy(o *bedrockruntime.Options) {
	o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error {
		attempt := 0
		if err := s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("spy", func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			attempt++
			j.note("retry: attempt %d", attempt)
			return next.HandleFinalize(ctx, in)
		}), "Retry", middleware.After); err != nil {
			return err
		}
		return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("spy", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
			if h := in.Request.(*smithyhttp.Request).Header.Get("Authorization"); !strings.HasPrefix(h, "AWS4-HMAC-SHA256") {
				j.note("not signed before the gate")
			}
			j.note("gate in")
			out, md, err := next.HandleDeserialize(ctx, in)
			j.note("gate out")
			return out, md, err
		}), middleware.After)
	})
}

// The life of a call, numbered, for a unary call and a stream, over a throttle.
func TestOnion(t *testing.T) {
	want := []string{
		"01 outer in", "02 inner in", "03 rules",
		"04 retry: attempt 1", "05 gate in", "06 gate out", // throttled
		"07 retry: attempt 2", "08 gate in", "09 server", "10 gate out",
	}
	unary := append(slices.Clone(want), "11 inner out", "12 inner done: attempts 2, end_turn", "13 outer out", "14 outer done: attempts 2, end_turn")
	stream := append(slices.Clone(want), "11 inner out", "12 outer out", "13 first event", "14 last event",
		"15 inner done: attempts 2, end_turn", "16 outer done: attempts 2, end_turn")

	start := func(t *testing.T, operation string) (*journal, *client) {
		j := new(journal)
		server := bedrocktest.NewServer(t)
		server.Fail(operation, bedrocktest.Throttle(1))
		server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
			j.note("server")
			return nil, nil
		})
		return j, newClient(t, server, func(o *opts) {
			o.Middleware = []securebedrock.Middleware{j.layer("outer"), j.layer("inner")}
			o.Models = []string{"arn:*"}
			o.Profiles = resolver{regions: []string{"us-east-1"}, asked: func() { j.note("rules") }}
		})
	}
	const profile = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
	t.Run("Converse", func(t *testing.T) {
		j, c := start(t, "Converse")
		in := converse("hello")
		in.ModelId = aws.String(profile)
		if _, err := c.Converse(t.Context(), in, j.spy); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(j.lines, unary) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(j.lines, "\n"), strings.Join(unary, "\n"))
		}
	})
	t.Run("ConverseStream", func(t *testing.T) {
		j, c := start(t, "ConverseStream")
		in := converseStream("hello")
		in.ModelId = aws.String(profile)
		out, err := c.ConverseStream(t.Context(), in, j.spy)
		if err != nil {
			t.Fatal(err)
		}
		<-out.GetStream().Events()
		j.note("first event")
		j.note("last event") // what follows is read below, and the record comes at its end
		if _, err := drain(out.GetStream()); err != nil {
			t.Fatal(err)
		}
		settled(t, "the record", func() bool { j.mu.Lock(); defer j.mu.Unlock(); return len(j.lines) == len(stream) })
		if !slices.Equal(j.lines, stream) {
			t.Errorf("got\n%s\nwant\n%s", strings.Join(j.lines, "\n"), strings.Join(stream, "\n"))
		}
	})
	t.Run("a refusal ends at the rules", func(t *testing.T) {
		j, c := start(t, "Converse")
		in := converse("hello")
		in.ModelId = aws.String("global." + haiku) // not in Models
		if _, err := c.Converse(t.Context(), in, j.spy); err == nil {
			t.Fatal("the call went through")
		}
		want := []string{"01 outer in", "02 inner in", "03 inner out", "04 inner done: attempts 0, ", "05 outer out", "06 outer done: attempts 0, "}
		if !slices.Equal(j.lines, want) {
			t.Errorf("got\n%s", strings.Join(j.lines, "\n"))
		}
	})
}

// The guard's own steps stand where the order of a call says.
func TestStack(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server)
	var stack string
	_, _ = c.Runtime().Converse(t.Context(), converse("hello"), func(o *bedrockruntime.Options) {
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { stack = s.String(); return errAny })
	})
	var order []string
	for line := range strings.Lines(stack) {
		order = append(order, strings.TrimSpace(line))
	}
	want := []string{"securebedrock:chain", "OperationSerializer", "Retry", "ResolveAuthScheme", "GetIdentity", "ResolveEndpointV2", "Signing", "securebedrock:gate"}
	at := -1
	for _, id := range want {
		i := slices.Index(order, id)
		if i <= at {
			t.Fatalf("%s is out of order in\n%s", id, stack)
		}
		at = i
	}
	if order[len(order)-1] != "securebedrock:gate" {
		t.Errorf("the gate is not last in\n%s", stack)
	}
}
