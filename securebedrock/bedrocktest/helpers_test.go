package bedrocktest_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// transports runs test against a server of each transport.
func transports(t *testing.T, test func(t *testing.T, s *bedrocktest.Server)) {
	t.Helper()
	for name, opts := range map[string][]bedrocktest.Option{
		"HTTP1": {bedrocktest.WithHTTP1()},
		"HTTP2": nil,
		"Plain": {bedrocktest.WithPlainHTTP(), bedrocktest.WithRegion("eu-central-1")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, bedrocktest.NewServer(t, opts...))
		})
	}
}

// guarded asks under the default guardrail.
func guarded(text string) *bedrockruntime.ConverseInput {
	in := probe.Ask(text)
	in.GuardrailConfig = &types.GuardrailConfiguration{
		GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"), Trace: types.GuardrailTraceEnabled,
	}
	return in
}

func textOf(t *testing.T, out *bedrockruntime.ConverseOutput) string {
	t.Helper()
	message, ok := out.Output.(*types.ConverseOutputMemberMessage)
	if !ok || len(message.Value.Content) != 1 {
		t.Fatalf("output is %#v", out.Output)
	}
	return message.Value.Content[0].(*types.ContentBlockMemberText).Value
}

// streamed is what a ConverseStream has brought.
type streamed struct {
	events   int
	text     string
	deltas   int
	tool     string
	stop     types.StopReason
	metadata *types.ConverseStreamMetadataEvent
	err      error
}

func collect(stream *bedrockruntime.ConverseStreamEventStream) streamed {
	var got streamed
	for event := range stream.Events() {
		got.events++
		switch e := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			got.deltas++
			switch d := e.Value.Delta.(type) {
			case *types.ContentBlockDeltaMemberText:
				got.text += d.Value
			case *types.ContentBlockDeltaMemberToolUse:
				got.tool += *d.Value.Input
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			got.stop = e.Value.StopReason
		case *types.ConverseStreamOutputMemberMetadata:
			got.metadata = &e.Value
		}
	}
	got.err = stream.Err()
	if err := stream.Close(); got.err == nil {
		got.err = err
	}
	return got
}

func stream(t *testing.T, s *bedrocktest.Server, in *bedrockruntime.ConverseStreamInput) streamed {
	t.Helper()
	out, err := probe.Client(s).ConverseStream(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	return collect(out.GetStream())
}

// eventually waits for what happens in another goroutine.
func eventually(t *testing.T, what string, happened func() bool) {
	t.Helper()
	deadline := time.Now().Add(5 * time.Second)
	for !happened() {
		if time.Now().After(deadline) {
			t.Fatalf("%s did not happen", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func converseWith(ctx context.Context, c *bedrockruntime.Client, id string) error {
	_, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: &id, Messages: probe.User("x")})
	return err
}
