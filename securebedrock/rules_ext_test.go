package securebedrock_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// The model rules stand on every route that names a model.
func TestModelRulesOnEveryRoute(t *testing.T) {
	const global = "global." + haiku
	for name, call := range map[string]func(context.Context, *client) error{
		"Converse": func(ctx context.Context, c *client) error {
			_, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: aws.String(global), Messages: userSays("a secret")})
			return err
		},
		"ConverseStream": func(ctx context.Context, c *client) error {
			_, err := c.ConverseStream(ctx, &bedrockruntime.ConverseStreamInput{ModelId: aws.String(global), Messages: userSays("a secret")})
			return err
		},
		"InvokeModel": func(ctx context.Context, c *client) error {
			_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: aws.String(global), Body: invokeBody("a secret")})
			return err
		},
		"InvokeModelWithResponseStream": func(ctx context.Context, c *client) error {
			_, err := c.InvokeModelWithResponseStream(ctx, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(global), Body: invokeBody("a secret")})
			return err
		},
		"InvokeModelWithBidirectionalStream": func(ctx context.Context, c *client) error {
			_, err := c.InvokeModelWithBidirectionalStream(ctx, &bedrockruntime.InvokeModelWithBidirectionalStreamInput{ModelId: aws.String(global)})
			return err
		},
		"StartAsyncInvoke": func(ctx context.Context, c *client) error {
			in := startAsync()
			in.ModelId = aws.String(global)
			_, err := c.StartAsyncInvoke(ctx, in)
			return err
		},
		"CountTokens": func(ctx context.Context, c *client) error {
			_, err := c.CountTokens(ctx, &bedrockruntime.CountTokensInput{ModelId: aws.String(global),
				Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("a secret")}}})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			server := bedrocktest.NewServer(t)
			c := newClient(t, server, func(o *opts) {
				o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "public", "InvokeModelWithBidirectionalStream": "public"}
			})
			refusedBy(t, call(t.Context(), c), securebedrock.ErrResidency)
			nothingArrived(t, server)
		})
	}
}
