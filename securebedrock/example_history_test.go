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

// A guardrail looks at all turns of every call, so a turn that it has blocked
// would block all later ones. The blocked turn leaves the history, question and
// answer, and the conversation goes on, with every turn still guarded.
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
		out, err := client.Converse(context.Background(), &bedrockruntime.ConverseInput{ModelId: aws.String(haiku), Messages: turn})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(out.StopReason)
		if out.StopReason == types.StopReasonGuardrailIntervened {
			continue // the history stays as it was before this turn
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
