package securebedrock_test

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// Options are copied: what the application does with them later changes nothing.
func TestOptionsAreCopiedAll(t *testing.T) {
	server := bedrocktest.NewServer(t)
	o := server.Options()
	o.Residency, o.Models = []string{"us-east-1"}, []string{"anthropic.*"}
	o.UnguardedOperations = map[string]string{"InvokeModelWithBidirectionalStream": "demo"}
	ran := false
	o.Middleware = []securebedrock.Middleware{func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			ran = true
			return next(ctx, call)
		}
	}}
	c, err := securebedrock.NewFromConfig(server.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	o.Residency[0], o.Models[0], o.Middleware[0] = "us-west-2", "*", nil
	o.UnguardedOperations["StartAsyncInvoke"] = "later"
	in := converse("a secret")
	in.ModelId = aws.String("amazon.nova-lite-v1:0")
	_, err = c.Converse(t.Context(), in)
	refusedBy(t, err, securebedrock.ErrModel)
	start := startAsync()
	start.ModelId = aws.String(haiku)
	_, err = c.StartAsyncInvoke(t.Context(), start)
	refusedBy(t, err, securebedrock.ErrUnguardedOperation)
	nothingArrived(t, server)
	if !ran {
		t.Error("the middleware is gone")
	}
}
