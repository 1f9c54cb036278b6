// Streaming reads a streamed answer: first the events, then the stream's error. Only the
// error tells a complete answer from one that broke off.
//
//	go run ./examples/streaming
//
// The program needs no AWS account. It shows a complete answer and three ways in which
// an answer stays incomplete, and ends.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const prompt = "Explain in one paragraph how a suspension bridge carries its load."

// read writes the answer to out as it arrives. The answer is complete only if read
// returns no error.
func read(ctx context.Context, client *securebedrock.Client, out io.Writer) error {
	answer, err := client.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"),
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: prompt}},
		}},
	})
	if err != nil {
		return err
	}
	stream := answer.GetStream()
	defer stream.Close() // also after an early return: Close frees the connection

	for event := range stream.Events() {
		switch event := event.(type) {
		case *types.ConverseStreamOutputMemberContentBlockDelta:
			if text, ok := event.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
				fmt.Fprint(out, text.Value)
			}
		case *types.ConverseStreamOutputMemberMessageStop:
			fmt.Fprintf(out, "\n[%s]", event.Value.StopReason) // guardrail_intervened after a block
		case *types.ConverseStreamOutputMemberMetadata: // the last event
			if usage := event.Value.Usage; usage != nil {
				fmt.Fprintf(out, " [%d tokens]", aws.ToInt32(usage.TotalTokens))
			}
		}
	}
	fmt.Fprintln(out)
	return stream.Err() // the channel is closed after a failure, too
}

// explain says what a stream's error means to a reader of its beginning.
func explain(err error) string {
	switch {
	case err == nil:
		return "complete"
	case errors.Is(err, securebedrock.ErrStreamTruncated):
		return "broken off: discard it, or ask again"
	case errors.Is(err, securebedrock.ErrReadTimeout):
		return "silent for Timeouts.Read: discard it, or ask again"
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return "ended by our own context"
	}
	return "failed" // an exception of Bedrock's, a refusal
}

func run(ctx context.Context, out io.Writer) error {
	server, err := bedrocktest.Start()
	if err != nil {
		return err
	}
	defer server.Close()
	opts := server.Options()
	opts.Timeouts.Read = time.Second
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		return err
	}
	defer client.Close()

	for _, row := range []struct {
		name  string
		fault bedrocktest.Fault // what goes wrong on the server
		leave time.Duration     // when the reader cancels
		want  error
	}{
		{"The answer is complete.", bedrocktest.Fault{}, time.Minute, nil},
		{"The stream ends after six events.", bedrocktest.Truncate(6), time.Minute, securebedrock.ErrStreamTruncated},
		{"The stream falls silent after six events.", bedrocktest.StallStream(6), time.Minute, securebedrock.ErrReadTimeout},
		{"The reader cancels in the middle.", bedrocktest.StallStream(6), 300 * time.Millisecond, context.Canceled},
	} {
		server.Fail("ConverseStream", row.fault)
		fmt.Fprintf(out, "%s\n", row.name)
		ctx, cancel := context.WithCancel(ctx)
		leave := time.AfterFunc(row.leave, cancel)
		err := read(ctx, client, out)
		leave.Stop()
		cancel()
		fmt.Fprintf(out, "=> %s (error: %v)\n\n", explain(err), err)
		if !errors.Is(err, row.want) {
			return fmt.Errorf("want the error %v, got %w", row.want, err)
		}
	}
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "streaming:", err)
		os.Exit(1)
	}
}
