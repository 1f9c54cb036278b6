package bedrocktest_test

import (
	"context"
	"fmt"
	"log"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
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

// A conversation with a tool: the script asks for the tool first, and answers when
// the tool's result has come.
func ExampleScript() {
	server, err := bedrocktest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.Reply(bedrocktest.Script(
		bedrocktest.ToolUse("call-1", "weather", map[string]string{"city": "Zürich"}),
		bedrocktest.Text("It rains in Zürich."),
	))

	client := bedrockruntime.NewFromConfig(server.Config())
	in := &bedrockruntime.ConverseInput{
		ModelId: aws.String("amazon.nova-micro-v1:0"),
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "How is the weather?"}},
		}},
		ToolConfig: &types.ToolConfiguration{Tools: []types.Tool{&types.ToolMemberToolSpec{Value: types.ToolSpecification{
			Name:        aws.String("weather"),
			InputSchema: &types.ToolInputSchemaMemberJson{Value: document.NewLazyDocument(map[string]any{"type": "object"})},
		}}}},
	}
	for {
		out, err := client.Converse(context.Background(), in)
		if err != nil {
			log.Fatal(err)
		}
		message := out.Output.(*types.ConverseOutputMemberMessage).Value
		if out.StopReason != types.StopReasonToolUse {
			fmt.Println(message.Content[0].(*types.ContentBlockMemberText).Value)
			return
		}
		use := message.Content[0].(*types.ContentBlockMemberToolUse).Value
		fmt.Println("the model asks for", *use.Name)
		in.Messages = append(in.Messages, message, types.Message{
			Role: types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{
				ToolUseId: use.ToolUseId,
				Content:   []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: "rain"}},
			}}},
		})
	}
	// Output:
	// the model asks for weather
	// It rains in Zürich.
}

// Collect reads a stream to its end.
func ExampleCollect() {
	server, err := bedrocktest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.Reply(bedrocktest.Script(bedrocktest.Text("Paris is the capital of France.")))

	client := bedrockruntime.NewFromConfig(server.Config())
	out, err := client.ConverseStream(context.Background(), &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String("amazon.nova-micro-v1:0"),
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "What is the capital of France?"}},
		}},
	})
	if err != nil {
		log.Fatal(err)
	}
	answer, err := bedrocktest.Collect(out.GetStream())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Text, answer.StopReason, *answer.Usage.OutputTokens)
	// Output: Paris is the capital of France. end_turn 6
}

// A model whose bodies the server does not know is answered by ReplyInvoke.
func ExampleServer_ReplyInvoke() {
	server, err := bedrocktest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.ReplyInvoke(func(model string, _ []byte) ([]byte, error) {
		if model != "twelvelabs.marengo-embed-3-0-v1:0" {
			return nil, nil // the server's own answer
		}
		return []byte(`{"data":[{"embedding":[0.1,0.2]}]}`), nil
	})

	client := bedrockruntime.NewFromConfig(server.Config())
	out, err := client.InvokeModel(context.Background(), &bedrockruntime.InvokeModelInput{
		ModelId: aws.String("twelvelabs.marengo-embed-3-0-v1:0"),
		Body:    []byte(`{"inputType":"text","text":{"inputText":"a fox"}}`),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(out.Body))
	// Output: {"data":[{"embedding":[0.1,0.2]}]}
}

// A job of StartAsyncInvoke runs for as many polls as the test wants.
func ExampleServer_AsyncJobs() {
	server, err := bedrocktest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.AsyncJobs(bedrocktest.AsyncJob{Polls: 2, Failure: "The bucket does not exist."})

	client := bedrockruntime.NewFromConfig(server.Config())
	started, err := client.StartAsyncInvoke(context.Background(), &bedrockruntime.StartAsyncInvokeInput{
		ModelId:    aws.String("amazon.nova-reel-v1:1"),
		ModelInput: document.NewLazyDocument(map[string]any{"taskType": "TEXT_VIDEO"}),
		OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{
			Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket/videos")},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for range 3 {
		job, err := client.GetAsyncInvoke(context.Background(), &bedrockruntime.GetAsyncInvokeInput{InvocationArn: started.InvocationArn})
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: %q\n", job.Status, aws.ToString(job.FailureMessage))
	}
	// Output:
	// InProgress: ""
	// InProgress: ""
	// Failed: "The bucket does not exist."
}
