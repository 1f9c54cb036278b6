package securebedrock

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	smithyendpoints "github.com/aws/smithy-go/endpoints"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// signingName is Bedrock Runtime's service name in SigV4.
const signingName = "bedrock"

func bedrockRuntime() pinned.Service {
	return pinned.Service{Host: "bedrock-runtime", Resolve: func(region string, fips, dualStack bool) (smithyendpoints.Endpoint, error) {
		return bedrockruntime.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), bedrockruntime.EndpointParameters{
			Region: &region, UseFIPS: &fips, UseDualStack: &dualStack,
		})
	}}
}

// newEndpoint computes the endpoint from the Options and nothing else.
func newEndpoint(region string, e Endpoint) (pinned.Endpoint, error) {
	computed, err := bedrockRuntime().Endpoint(pinned.Place{Region: region, URL: e.URL, FIPS: e.FIPS, DualStack: e.DualStack})
	if err != nil {
		return computed, refusal.Fault("Endpoint", "%w", err)
	}
	return computed, nil
}
