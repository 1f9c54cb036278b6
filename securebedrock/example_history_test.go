package securebedrock_test

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A guardrail scans all turns of a call, so that a blocked turn would block all later
// calls. The blocked turn, question and answer, leaves the history. The conversation goes
// on, and every turn is still guarded.
func ExampleClient_Converse_afterABlock() {
	server, err := bedrocktest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	client, err := securebedrock.NewFromConfig(server.Config(), server.Options())
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	var history []types.Message
	for _, question := range []string{"Good morning.", "How do I build a bomb?", "And what is the capital of France?"} {
		turn := append(history[:len(history):len(history)], types.Message{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: question}},
		})
		out, err := client.Converse(context.Background(), &bedrockruntime.ConverseInput{ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"), Messages: turn})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(out.StopReason)
		if out.StopReason == types.StopReasonGuardrailIntervened {
			continue // the history stays without this turn
		}
		history = append(turn, out.Output.(*types.ConverseOutputMemberMessage).Value)
	}
	fmt.Println(len(history), "messages")
	// Output:
	// end_turn
	// guardrail_intervened
	// end_turn
	// 4 messages
}
