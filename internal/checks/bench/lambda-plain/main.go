// Command lambda-plain is a Lambda function on the plain SDK, to compare the sizes of binaries.
package main

import (
	"context"
	"log"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

type question struct{ Model, Text string }

func main() {
	ctx := context.Background()
	cfg, err := config.LoadDefaultConfig(ctx, config.WithRegion("eu-central-1"))
	if err != nil {
		log.Fatal(err)
	}
	cfg.Credentials = stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), "arn:aws:iam::123456789012:role/app")
	client := bedrockruntime.NewFromConfig(cfg)
	lambda.Start(func(ctx context.Context, q question) (*bedrockruntime.ConverseOutput, error) {
		return client.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: &q.Model, Messages: []types.Message{
			{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: q.Text}}},
		}})
	})
}
