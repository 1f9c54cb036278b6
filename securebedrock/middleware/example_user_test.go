package middleware_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// Each user has a budget of tokens. The application puts the user's name into the
// context, and Key reads it.
func ExampleBudget_perUser() {
	type user struct{}
	budget, err := middleware.Budget(middleware.BudgetOptions{
		Name:   "daily",
		Window: 24 * time.Hour,
		Tokens: 120,
		Key: func(ctx context.Context, _ *securebedrock.Call) string {
			name, _ := ctx.Value(user{}).(string)
			return name
		},
	})
	if err != nil {
		log.Fatal(err)
	}

	server, err := bedrocktest.Start() // a Bedrock on loopback
	if err != nil {
		log.Fatal(err)
	}
	defer server.Close()
	opts := server.Options()
	opts.Middleware = []securebedrock.Middleware{budget}
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	for _, name := range []string{"ada", "ada", "grace"} {
		_, err := client.Converse(context.WithValue(context.Background(), user{}, name), &bedrockruntime.ConverseInput{
			ModelId:         aws.String("anthropic.claude-3-haiku-20240307-v1:0"),
			InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(100)},
			Messages: []types.Message{{
				Role:    types.ConversationRoleUser,
				Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "What is the capital of France?"}},
			}},
		})
		var spent *middleware.BudgetError
		switch {
		case errors.As(err, &spent):
			fmt.Printf("%s has spent the %s budget\n", spent.Key, spent.Name)
		case err != nil:
			log.Fatal(err)
		default:
			fmt.Println(name, "has an answer")
		}
	}
	// Output:
	// ada has an answer
	// ada has spent the daily budget
	// grace has an answer
}
