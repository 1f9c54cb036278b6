package securebedrock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func sonic() *bedrockruntime.InvokeModelWithBidirectionalStreamInput {
	return &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String("amazon.nova-sonic-v1:0")}
}

func excuseDuplex(o *opts) {
	o.UnguardedOperations = map[string]string{"InvokeModelWithBidirectionalStream": "public demo"}
	o.Role = nil
}

func TestDuplexStream(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, excuseDuplex)
	out, err := c.InvokeModelWithBidirectionalStream(t.Context(), sonic())
	if err != nil {
		t.Fatal(err)
	}
	es := out.GetStream()
	if err := es.Send(t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{
		Value: types.BidirectionalInputPayloadPart{Bytes: []byte(`{"event":{"textInput":{"content":"hello"}}}`)}}); err != nil {
		t.Fatal(err)
	}
	if ev := <-es.Events(); ev == nil {
		t.Fatalf("no event: %v", es.Err())
	}
	if err := es.Close(); err != nil {
		t.Error(err)
	}
	r := rec.one(t)
	if r.call.Unguarded != "public demo" || r.outcome.Attempts != 1 {
		t.Errorf("call %+v, outcome %+v", r.call, r.outcome)
	}
	c.Close()
	settled(t, "no connection left", func() bool { return server.Connections() == 0 })
}

// The plain SDK never returns from, or never ends, a bidirectional stream that
// fails. Here every failure arrives, on the methods and on Runtime.
func TestDuplexFailuresArrive(t *testing.T) {
	for _, row := range []struct {
		name  string
		input *bedrockruntime.InvokeModelWithBidirectionalStreamInput
		fault *bedrocktest.Fault
		opts  func(*opts)
		check func(error) bool
	}{
		{"a refusal", sonic(), nil, func(o *opts) { o.UnguardedOperations = nil },
			func(err error) bool { return errors.Is(err, securebedrock.ErrUnguardedOperation) }},
		{"an invalid input", &bedrockruntime.InvokeModelWithBidirectionalStreamInput{}, nil, func(*opts) {},
			func(err error) bool { return err != nil }},
		{"a service error", sonic(), denied(), func(*opts) {},
			func(err error) bool { var e *types.AccessDeniedException; return errors.As(err, &e) }},
		{"credentials that fail", sonic(), nil, func(o *opts) {
			o.Role = &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/app", STS: failingSTS{}}
		}, func(err error) bool { return errors.Is(err, errSTSDown) }},
	} {
		for _, runtime := range []bool{false, true} {
			name := row.name + "/Client"
			if runtime {
				name = row.name + "/Runtime"
			}
			t.Run(name, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				rec := new(recorder)
				c := newClient(t, server, rec.option, excuseDuplex, row.opts)
				if row.fault != nil {
					server.Fail("InvokeModelWithBidirectionalStream", *row.fault)
				}
				got := make(chan error, 1)
				go func() {
					invoke := c.InvokeModelWithBidirectionalStream
					if runtime {
						invoke = c.Runtime().InvokeModelWithBidirectionalStream
					}
					ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
					defer cancel()
					out, err := invoke(ctx, row.input)
					if err == nil {
						for range out.GetStream().Events() {
						}
						err = out.GetStream().Err()
						out.GetStream().Close()
					}
					got <- err
				}()
				select {
				case err := <-got:
					if !row.check(err) {
						t.Errorf("got %v", err)
					}
				case <-time.After(10 * time.Second):
					t.Fatal("the call never came back")
				}
				if r := rec.one(t); !row.check(r.outcome.Err) {
					t.Errorf("the record has %v", r.outcome.Err)
				}
			})
		}
	}
}

func denied() *bedrocktest.Fault {
	f := bedrocktest.Error(403, "AccessDeniedException", "no")
	return &f
}

// A caller who closes his stream early is told of no error that comes of it.
func TestDuplexClosedEarly(t *testing.T) {
	server := bedrocktest.NewServer(t)
	rec := new(recorder)
	c := newClient(t, server, rec.option, excuseDuplex)
	const n = 100
	for range n {
		out, err := c.InvokeModelWithBidirectionalStream(t.Context(), sonic())
		if err != nil {
			t.Fatal(err)
		}
		_ = out.GetStream().Send(t.Context(), &types.InvokeModelWithBidirectionalStreamInputMemberChunk{
			Value: types.BidirectionalInputPayloadPart{Bytes: []byte(`{"event":{"textInput":{"content":"hello"}}}`)}})
		_ = out.GetStream().Close()
	}
	settled(t, "every outcome", func() bool { rec.mu.Lock(); defer rec.mu.Unlock(); return len(rec.records) == n })
	for _, r := range rec.records {
		// Canceled is either: the server may have answered the end of the input with the end of
		// the stream before the SDK closed it.
		if r.outcome.Err != nil {
			t.Fatalf("%v, canceled %t", r.outcome.Err, r.outcome.Canceled)
		}
	}
}
