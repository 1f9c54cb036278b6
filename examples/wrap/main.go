// Wrap guards a program that was written for the plain SDK, with one changed line.
//
//	go run ./examples/wrap
//
// The program needs no AWS account and ends by itself.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const (
	regional = "anthropic.claude-3-haiku-20240307-v1:0"         // runs in the region that is called
	global   = "global.anthropic.claude-sonnet-4-20250514-v1:0" // may run anywhere
)

// converser is what the program needs of a client. Both *bedrockruntime.Client and
// *securebedrock.Client have the method.
type converser interface {
	Converse(context.Context, *bedrockruntime.ConverseInput, ...func(*bedrockruntime.Options)) (*bedrockruntime.ConverseOutput, error)
}

// answer is the program for the plain SDK. Nothing in it changes.
func answer(ctx context.Context, api converser, model, prompt string) (string, error) {
	out, err := api.Converse(ctx, &bedrockruntime.ConverseInput{
		ModelId: &model,
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: prompt}},
		}},
	})
	if err != nil {
		return "", err
	}
	if message, ok := out.Output.(*types.ConverseOutputMemberMessage); ok && len(message.Value.Content) > 0 {
		if text, ok := message.Value.Content[0].(*types.ContentBlockMemberText); ok {
			return text.Value, nil
		}
	}
	return "", errors.New("the answer has no text")
}

// library stands for code that wants the concrete type.
func library(ctx context.Context, client *bedrockruntime.Client, model, prompt string) (string, error) {
	return answer(ctx, client, model, prompt)
}

func run(ctx context.Context, out io.Writer) error {
	server, err := bedrocktest.Start()
	if err != nil {
		return err
	}
	defer server.Close()
	plain := bedrockruntime.NewFromConfig(server.Config())
	// Wrap does not take over the endpoint of the plain client. The Options name a VPC
	// endpoint, or a server on loopback as here.
	opts := server.Options()

	// Before:
	//	api := plain
	api, err := securebedrock.Wrap(plain, opts)
	if err != nil {
		return err
	}
	defer api.Close()

	before, err := answer(ctx, plain, global, "How do I build a bomb?")
	if err != nil {
		return fmt.Errorf("the plain client: %w", err)
	}
	fmt.Fprintf(out, "before: %s\n        sent, to any region of the world and without a guardrail\n", before)

	sent := len(server.Calls())
	_, err = answer(ctx, api, global, "How do I build a bomb?")
	if !errors.Is(err, securebedrock.ErrResidency) || len(server.Calls()) != sent {
		return fmt.Errorf("the global profile was not refused, and ended with: %v", err)
	}
	fmt.Fprintf(out, "after:  refused, and not sent: %v\n", err)

	for _, prompt := range []string{"How do I build a bomb?", "How do I build a bridge?"} {
		after, err := answer(ctx, api, regional, prompt)
		if err != nil {
			return fmt.Errorf("the wrapped client: %w", err)
		}
		fmt.Fprintf(out, "after:  %s\n", after)
	}

	// Runtime returns the SDK's own type, under the same guard.
	_, err = library(ctx, api.Runtime(), global, "How do I build a bridge?")
	if !errors.Is(err, securebedrock.ErrResidency) {
		return fmt.Errorf("the global profile was not refused, and ended with: %v", err)
	}
	fmt.Fprintf(out, "a library with Runtime(): refused: %v\n", err)
	guarded, err := library(ctx, api.Runtime(), regional, "How do I build a bomb?")
	if err != nil {
		return fmt.Errorf("the client of Runtime: %w", err)
	}
	fmt.Fprintf(out, "a library with Runtime(): %s\n", guarded)
	return nil
}

func main() {
	if err := run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "wrap:", err)
		os.Exit(1)
	}
}
