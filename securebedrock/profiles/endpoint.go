package profiles

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrockagent"
	smithyendpoints "github.com/aws/smithy-go/endpoints"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// signingName is the service name in SigV4 of the control plane and of
// bedrock-agent, the same as Bedrock Runtime's.
const signingName = "bedrock"

func controlPlane() pinned.Service {
	return pinned.Service{Host: "bedrock", Resolve: func(region string, fips, dualStack bool) (smithyendpoints.Endpoint, error) {
		return bedrock.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), bedrock.EndpointParameters{
			Region: &region, UseFIPS: &fips, UseDualStack: &dualStack,
		})
	}}
}

func agents() pinned.Service {
	return pinned.Service{Host: "bedrock-agent", Resolve: func(region string, fips, dualStack bool) (smithyendpoints.Endpoint, error) {
		return bedrockagent.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), bedrockagent.EndpointParameters{
			Region: &region, UseFIPS: &fips, UseDualStack: &dualStack,
		})
	}}
}

// endpointOf computes a service's endpoint. Without a region and a URL there is none
// to compute, and the missing region is another fault.
func endpointOf(field string, of pinned.Service, region string, e securebedrock.Endpoint, faults *refusal.Faults) pinned.Endpoint {
	if !regions.Valid(region) && e.URL == "" {
		return pinned.Endpoint{}
	}
	computed, err := of.Endpoint(pinned.Place{Region: region, URL: e.URL, FIPS: e.FIPS, DualStack: e.DualStack})
	if err != nil {
		faults.Add(field, "%w", err)
	}
	return computed
}
