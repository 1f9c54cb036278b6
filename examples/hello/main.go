// Hello asks a model one question, guarded, on the real Bedrock and with the default
// credentials:
//
//	GUARDRAIL_ID=a1b2c3d4e5f6 go run ./examples/hello "What is a guardrail?"
package main

import (
	"context"
	"fmt"
	"log"
	"os"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: hello PROMPT")
	}
	ctx := context.Background()
	client, err := securebedrock.New(ctx, securebedrock.Options{
		Region:    "eu-central-1",
		Residency: securebedrock.Geography("eu"),
		Guardrail: securebedrock.Guardrail{ID: os.Getenv("GUARDRAIL_ID"), Version: "1"},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Shutdown(ctx) }()

	out, err := client.InvokeModelSafely(ctx, "eu.amazon.nova-lite-v1:0", []types.Message{{
		Role:    types.ConversationRoleUser,
		Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: os.Args[1]}},
	}})
	if err != nil {
		log.Print(err)
		return
	}
	if m, ok := out.Output.(*types.ConverseOutputMemberMessage); ok {
		for _, block := range m.Value.Content {
			if text, ok := block.(*types.ContentBlockMemberText); ok {
				fmt.Println(text.Value)
			}
		}
	}
}
