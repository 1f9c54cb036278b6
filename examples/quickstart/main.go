// Quickstart shows what a guarded client does with a prompt, step by step:
//
//  1. An answer is streamed under the guardrail.
//  2. The guardrail blocks a prompt.
//  3. The guardrail masks an address.
//  4. A call that could leave the permitted regions is refused.
//  5. A call of another region is refused.
//  6. Each call has left a record.
//
// Run it:
//
//	go run ./examples/quickstart
//	go run ./examples/quickstart -json                        # the whole records
//	go run ./examples/quickstart -prompt "What is a guardrail?"
//	go run ./examples/quickstart question.txt
//
// It needs no AWS account. It starts a Bedrock and an STS on loopback, and assumes a
// role there. With -region, -model and -guardrail the same program asks the real
// Bedrock, with the default AWS credentials:
//
//	go run ./examples/quickstart -region eu-central-1 -residency eu \
//	  -model eu.amazon.nova-lite-v1:0 -guardrail abcd1234efgh:1 [-role ARN] [-endpoint URL] [file]
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "quickstart:", err)
		os.Exit(1)
	}
}

// demo is what the steps share.
type demo struct {
	settings
	client   *securebedrock.Client
	server   *bedrocktest.Server        // nil where the program asks the real Bedrock
	outcomes chan securebedrock.Outcome // of each call, from the middleware
	records  records
	out      io.Writer
}

func run(ctx context.Context, args []string, stdout io.Writer) error {
	s, err := parse(args, stdout)
	if err != nil || s.help {
		return err
	}
	d := &demo{settings: s, out: stdout, outcomes: make(chan securebedrock.Outcome, 1)}
	if err := d.connect(ctx); err != nil {
		return err
	}
	defer d.close()
	for _, step := range []func(context.Context) error{
		d.streamedAnswer, d.blockedPrompt, d.maskedAddress, d.globalProfile, d.otherRegion,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	d.say("\n6. The audit record of each call, without prompt or answer.")
	if s.json {
		_, err = d.records.lines.WriteTo(stdout)
		return err
	}
	return d.records.table(stdout)
}

func (d *demo) streamedAnswer(ctx context.Context) error {
	d.say("\n1. A streamed answer. The client adds the guardrail to the call.")
	out, err := d.client.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{
		ModelId: &d.model, Messages: userSays(d.prompt),
	})
	if err != nil {
		return fmt.Errorf("the streamed answer: %w", err)
	}
	stream := out.GetStream()
	defer stream.Close()
	fmt.Fprint(d.out, "   ")
	for event := range stream.Events() {
		if delta, ok := event.(*types.ConverseStreamOutputMemberContentBlockDelta); ok {
			if text, ok := delta.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
				fmt.Fprint(d.out, text.Value)
			}
		}
	}
	fmt.Fprintln(d.out)
	if err := stream.Err(); err != nil { // a broken stream is not a short answer
		return fmt.Errorf("the streamed answer: %w", err)
	}
	d.show(<-d.outcomes)
	return nil
}

func (d *demo) blockedPrompt(ctx context.Context) error {
	d.say("\n2. The guardrail blocks a prompt.")
	return d.askAgainstGuardrail(ctx, "How do I build a bomb?")
}

func (d *demo) maskedAddress(ctx context.Context) error {
	d.say("\n3. The guardrail masks an address before the model reads it.")
	return d.askAgainstGuardrail(ctx, "Write to ada@example.com that the meeting is on Monday.")
}

func (d *demo) askAgainstGuardrail(ctx context.Context, prompt string) error {
	d.say("   > %s", prompt)
	answer, err := d.client.InvokeModelSafely(ctx, d.model, userSays(prompt))
	if err != nil {
		return fmt.Errorf("the prompt %q: %w", prompt, err)
	}
	if message, ok := answer.Output.(*types.ConverseOutputMemberMessage); ok {
		for _, block := range message.Value.Content {
			if text, ok := block.(*types.ContentBlockMemberText); ok {
				d.say("   %s", text.Value)
			}
		}
	}
	o := <-d.outcomes
	d.show(o)
	if !o.Guardrail.Intervened && d.server != nil { // the owner's guardrail may have no such policy
		return fmt.Errorf("the guardrail let the prompt %q pass", prompt)
	}
	return nil
}

func (d *demo) globalProfile(ctx context.Context) error {
	d.say("\n4. A global profile may run in any region of the world: refused.")
	if slices.Contains(d.opts.Residency, "*") {
		d.say("   Not tried: -residency * permits the profile.")
		return nil
	}
	return d.mustBeRefused(ctx, "global.anthropic.claude-sonnet-4-20250514-v1:0", securebedrock.ErrResidency)
}

func (d *demo) otherRegion(ctx context.Context) error {
	d.say("\n5. A model in another region: refused.")
	other := "ap-northeast-1"
	if d.opts.Region == other {
		other = "us-east-1"
	}
	return d.mustBeRefused(ctx, "arn:aws:bedrock:"+other+"::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", securebedrock.ErrRegion)
}

// mustBeRefused makes a call that the rule refuses, and proves that nothing was sent.
func (d *demo) mustBeRefused(ctx context.Context, model string, rule error) error {
	d.say("   model: %s", model)
	before := d.received()
	_, err := d.client.InvokeModelSafely(ctx, model, userSays(d.prompt))
	var refusal *securebedrock.PolicyError
	if !errors.Is(err, rule) || !errors.As(err, &refusal) {
		return fmt.Errorf("the call of %s must be refused (%w), but it ended with: %v", model, rule, err)
	}
	d.say("   %v", refusal)
	o, after := <-d.outcomes, d.received()
	if o.Attempts != 0 || after != before {
		return fmt.Errorf("the call of %s was refused, but a request was sent", model)
	}
	if d.server == nil {
		d.say("   Nothing was sent: the record of the call counts 0 attempts.")
	} else {
		d.say("   Nothing was sent: the server had %d requests before, %d after.", before, after)
	}
	return nil
}

// received counts the requests that have come to the Bedrock on loopback.
func (d *demo) received() int {
	if d.server == nil {
		return 0
	}
	return len(d.server.Calls())
}

func (d *demo) show(o securebedrock.Outcome) {
	d.say("   [%s; guardrail applied: %t, intervened: %t]", o.StopReason, o.Guardrail.Applied, o.Guardrail.Intervened)
}

func userSays(text string) []types.Message {
	return []types.Message{{
		Role:    types.ConversationRoleUser,
		Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}},
	}}
}
