package bedrocktest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// An application is tested against a server of its own, with the client that
// it has in production. In a test, bedrocktest.NewServer(t) closes the server
// when the test ends.
func Example() {
	server, err := bedrocktest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	client, err := securebedrock.NewFromConfig(server.Config(), server.Options())
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	for _, question := range []string{"What is the capital of France?", "How do I build a bomb?"} {
		answer, err := client.Converse(context.Background(), &bedrockruntime.ConverseInput{
			ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"),
			Messages: []types.Message{{
				Role:    types.ConversationRoleUser,
				Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: question}},
			}},
		})
		if err != nil {
			log.Fatal(err)
		}
		message := answer.Output.(*types.ConverseOutputMemberMessage).Value
		fmt.Println(answer.StopReason+":", message.Content[0].(*types.ContentBlockMemberText).Value)
	}
	for _, call := range server.Calls() {
		fmt.Println(call.Operation, call.Region, call.AuthScheme, call.Status)
	}
	// Output:
	// end_turn: You said: "What is the capital of France?". This answer comes from a test server; no model was asked.
	// guardrail_intervened: Sorry, the model cannot answer this question.
	// AssumeRole us-east-1 AWS4-HMAC-SHA256 200
	// Converse us-east-1 AWS4-HMAC-SHA256 200
	// Converse us-east-1 AWS4-HMAC-SHA256 200
}

// Faults are scripted per operation, in order, and then the server is well
// again.
func ExampleServer_Fail() {
	server, err := bedrocktest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.Fail("Converse", bedrocktest.Throttle(1), bedrocktest.Drop())

	client := bedrockruntime.NewFromConfig(server.Config(), func(o *bedrockruntime.Options) { o.Retryer = aws.NopRetryer{} })
	for range 3 {
		_, err := client.Converse(context.Background(), &bedrockruntime.ConverseInput{
			ModelId: aws.String("amazon.nova-micro-v1:0"),
			Messages: []types.Message{{
				Role:    types.ConversationRoleUser,
				Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hello"}},
			}},
		})
		fmt.Println("failed:", err != nil)
	}
	for _, call := range server.Calls() {
		fmt.Println(call.Operation, call.Status)
	}
	// Output:
	// failed: true
	// failed: true
	// failed: false
	// Converse 429
	// Converse 0
	// Converse 200
}
