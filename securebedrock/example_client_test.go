package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// New makes a client with the default AWS credentials. The faults of the Options are
// reported together, before the network is used, and a call that breaks a rule is refused
// before a byte is sent.
func ExampleNew() {
	client, err := securebedrock.New(context.Background(), securebedrock.Options{
		Region:    "eu-central-1",
		Residency: securebedrock.Geography("eu"),
		Guardrail: securebedrock.Guardrail{ID: "a1b2c3d4e5f6", Version: "1"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	_, err = client.Converse(context.Background(), &bedrockruntime.ConverseInput{
		ModelId: aws.String("us.amazon.nova-lite-v1:0"),
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hello"}},
		}},
	})
	fmt.Println(errors.Is(err, securebedrock.ErrResidency))
	// Output: true
}

// Wrap guards a client that the application has already. The calls stay as they are.
func ExampleWrap() {
	server, err := bedrocktest.Start() // a Bedrock on loopback
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	plain := bedrockruntime.NewFromConfig(server.Config())

	client, err := securebedrock.Wrap(plain, server.Options())
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	out, err := client.Converse(context.Background(), &bedrockruntime.ConverseInput{
		ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"),
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "How do I build a bomb?"}},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.StopReason)
	// Output: guardrail_intervened
}

// Runtime is the SDK's own type, for a library that wants the concrete client. It is
// under the same guard.
func ExampleClient_Runtime() {
	library := func(client *bedrockruntime.Client, model string) error {
		_, err := client.Converse(context.Background(), &bedrockruntime.ConverseInput{
			ModelId: aws.String(model),
			Messages: []types.Message{{
				Role:    types.ConversationRoleUser,
				Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hello"}},
			}},
		})
		return err
	}

	server, err := bedrocktest.Start() // a Bedrock on loopback
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := securebedrock.NewFromConfig(server.Config(), server.Options())
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	fmt.Println(library(client.Runtime(), "anthropic.claude-3-haiku-20240307-v1:0"))
	err = library(client.Runtime(), "global.anthropic.claude-sonnet-4-20250514-v1:0")
	fmt.Println(errors.Is(err, securebedrock.ErrResidency))
	// Output:
	// <nil>
	// true
}

// A stream is read to its end, and then its error is asked for: an answer that broke off
// is an error, and not a short answer.
func ExampleClient_ConverseStream() {
	server, err := bedrocktest.Start() // a Bedrock on loopback
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.Reply(bedrocktest.Script(
		bedrocktest.Text("Paris is the capital of France."),
		bedrocktest.Text("Paris is the capital of France."),
	))
	client, err := securebedrock.NewFromConfig(server.Config(), server.Options())
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	for range 2 {
		out, err := client.ConverseStream(context.Background(), &bedrockruntime.ConverseStreamInput{
			ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"),
			Messages: []types.Message{{
				Role:    types.ConversationRoleUser,
				Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "What is the capital of France?"}},
			}},
		})
		if err != nil {
			log.Fatal(err)
		}
		stream := out.GetStream()
		var answer strings.Builder
		for event := range stream.Events() {
			if delta, ok := event.(*types.ConverseStreamOutputMemberContentBlockDelta); ok {
				if text, ok := delta.Value.Delta.(*types.ContentBlockDeltaMemberText); ok {
					answer.WriteString(text.Value)
				}
			}
		}
		fmt.Printf("%q, broken off: %t\n", answer.String(), errors.Is(stream.Err(), securebedrock.ErrStreamTruncated))
		_ = stream.Close()
		server.Fail("ConverseStream", bedrocktest.Truncate(2)) // the second answer
	}
	// Output:
	// "Paris is the capital of France.", broken off: false
	// "Paris is the ", broken off: true
}

// With a Role, each call is signed with a session of that role. The session comes from
// the STS endpoint of the pinned region, and is renewed in the background.
func ExampleRole() {
	server, err := bedrocktest.Start() // a Bedrock and an STS on loopback
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	opts := server.Options()
	opts.Role = &securebedrock.Role{
		ARN:         "arn:aws:iam::123456789012:role/inference",
		SessionName: "claims",
		STS:         opts.Role.STS, // leave it out in production
	}
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	for range 2 {
		_, err = client.Converse(context.Background(), &bedrockruntime.ConverseInput{
			ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"),
			Messages: []types.Message{{
				Role:    types.ConversationRoleUser,
				Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hello"}},
			}},
		})
		if err != nil {
			log.Fatal(err)
		}
	}
	for _, call := range server.Calls() {
		fmt.Println(call.Operation, call.AccessKeyID == server.Credentials().AccessKeyID)
	}
	// Output:
	// AssumeRole true
	// Converse false
	// Converse false
}
