package securebedrock_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func TestSameGuardrailOfAnotherAccountIsAnother(t *testing.T) {
	server := bedrocktest.NewServer(t)
	c := newClient(t, server, func(o *opts) {
		o.Guardrail.ID = "arn:aws:bedrock:us-east-1:123456789012:guardrail/" + bedrocktest.DefaultGuardrailID
	})
	in := converse("a secret")
	in.GuardrailConfig = &types.GuardrailConfiguration{GuardrailIdentifier: aws.String("arn:aws:bedrock:us-east-1:999999999999:guardrail/" + bedrocktest.DefaultGuardrailID)}
	_, err := c.Converse(t.Context(), in)
	refusedBy(t, err, securebedrock.ErrGuardrailOverride)
	nothingArrived(t, server)
}
