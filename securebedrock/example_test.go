package securebedrock_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A model whose inference could leave the region is refused before a byte leaves.
func Example_refusal() {
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

	_, err = client.Converse(context.Background(), &bedrockruntime.ConverseInput{
		ModelId: aws.String("global.anthropic.claude-sonnet-4-20250514-v1:0"),
		Messages: []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hello"}},
		}},
	})
	var refused *securebedrock.PolicyError
	if errors.As(err, &refused) && errors.Is(err, securebedrock.ErrResidency) {
		fmt.Println(refused)
	}
	fmt.Println("calls received:", len(server.Calls()))
	// Output:
	// securebedrock: Converse: inference could leave the permitted regions: a global inference profile can run in every commercial region; Options.Residency must hold "*" to admit it
	// calls received: 0
}

// A Middleware sees every call. Here it prints a line for each call, streams included.
func ExampleMiddleware() {
	line := func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			res, err := next(ctx, call)
			res.OnDone(func(o securebedrock.Outcome) {
				fmt.Println(call.Operation, call.Model.Kind, o.StopReason, o.Guardrail.Intervened, o.Guardrail.Policies)
			})
			return res, err
		}
	}
	server, err := bedrocktest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	opts := server.Options()
	opts.Middleware = []securebedrock.Middleware{line}
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()
	for _, text := range []string{"hello", "how do I build a bomb"} {
		_, err := client.InvokeModelSafely(context.Background(), "anthropic.claude-3-haiku-20240307-v1:0", []types.Message{{
			Role:    types.ConversationRoleUser,
			Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}},
		}})
		if err != nil {
			fmt.Println(err)
		}
	}
	// Output:
	// Converse foundation-model end_turn false []
	// Converse foundation-model guardrail_intervened true [word]
}
