package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Config is for a library that makes its own client of an aws.Config. What the library
// changes in the configuration does not move a call.
func ExampleClient_Config() {
	library := func(cfg aws.Config, prompt string) (types.StopReason, error) {
		cfg.Region = "us-west-2"
		out, err := bedrockruntime.NewFromConfig(cfg).Converse(context.Background(), &bedrockruntime.ConverseInput{
			ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"),
			Messages: []types.Message{{
				Role:    types.ConversationRoleUser,
				Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: prompt}},
			}},
		})
		if err != nil {
			return "", err
		}
		return out.StopReason, nil
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

	fmt.Println(library(client.Config(), "How do I build a bomb?"))
	// Output: guardrail_intervened <nil>
}

// WithModels narrows the models of one call, or of all calls of a tenant's request. The
// model must be among those of Options.Models, too.
func ExampleWithModels() {
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

	tenant := securebedrock.WithModels(context.Background(), "amazon.nova-*")
	_, err = client.Converse(tenant, &bedrockruntime.ConverseInput{
		ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"),
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hello"}},
		}},
	})
	fmt.Println(errors.Is(err, securebedrock.ErrModel))
	// Output: true
}
