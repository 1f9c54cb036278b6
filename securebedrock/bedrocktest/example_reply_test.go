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

// A Reply plays a model that uses a tool: it asks for the tool first, and answers from
// the tool's result.
func ExampleServer_Reply() {
	server, err := bedrocktest.Start()
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	server.Reply(func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		last := in.Messages[len(in.Messages)-1].Content[0]
		result, ok := last.(*types.ContentBlockMemberToolResult)
		if !ok {
			return bedrocktest.ToolUse("call-1", "weather", map[string]string{"city": "Oslo"}), nil
		}
		weather := result.Value.Content[0].(*types.ToolResultContentBlockMemberText).Value
		return bedrocktest.Text("The weather in Oslo: " + weather), nil
	})
	client, err := securebedrock.NewFromConfig(server.Config(), server.Options())
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	in := &bedrockruntime.ConverseInput{
		ModelId: aws.String("amazon.nova-micro-v1:0"),
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "How is the weather in Oslo?"}},
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
		fmt.Println("The model asks for the tool", *use.Name)
		in.Messages = append(in.Messages, message, types.Message{
			Role: types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberToolResult{Value: types.ToolResultBlock{
				ToolUseId: use.ToolUseId,
				Content:   []types.ToolResultContentBlock{&types.ToolResultContentBlockMemberText{Value: "snow"}},
			}}},
		})
	}
	// Output:
	// The model asks for the tool weather
	// The weather in Oslo: snow
}
