// Command lambda-ours is a Lambda function on securebedrock, to compare the sizes of binaries.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

type question struct{ Model, Text string }

func main() {
	ctx := context.Background()
	client, err := securebedrock.New(ctx, securebedrock.Options{
		Region:    "eu-central-1",
		Guardrail: securebedrock.Guardrail{ID: "gr0123456789", Version: "1"},
		Role:      &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/app"},
	})
	if err != nil {
		log.Fatal(err)
	}
	lambda.Start(func(ctx context.Context, q question) (*bedrockruntime.ConverseOutput, error) {
		return client.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: &q.Model, Messages: []types.Message{
			{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: q.Text}}},
		}})
	})
}
