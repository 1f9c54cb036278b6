package securebedrock

import (
	"context"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	smithyauth "github.com/aws/smithy-go/auth"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// outside refuses a call that has gone round the guard, in whichever part of the guard
// it arrives. detail is for a call of Bedrock Runtime. A bidirectional call is answered,
// too: its caller would wait for ever.
type outside struct {
	answer func(context.Context) error // answers a bidirectional call
}

func (o outside) refuse(ctx context.Context, detail string) error {
	operation, service := middleware.GetOperationName(ctx), awsmiddleware.GetServiceID(ctx)
	switch {
	case service != "" && service != bedrockruntime.ServiceID:
		return otherService(operation, service)
	case operation == duplexOperation && service != "" && duplexOf(ctx) == nil && o.answer != nil:
		return o.answer(ctx)
	}
	return bypassed(operation, detail)
}

// unlessApproved refuses a call that the rules have not approved.
func (o outside) unlessApproved(ctx context.Context, detail string) error {
	if ex := exchangeOf(ctx); ex == nil || !ex.seal.Approved() {
		return o.refuse(ctx, detail)
	}
	return nil
}

// otherService is the refusal of a client of another service.
func otherService(operation, service string) error {
	return &PolicyError{Rule: ErrConfig, Operation: operation, Detail: "a client of the service " + refusal.Quoted(service) +
		" was made with the configuration of a guarded client, which has credentials and a network for Bedrock Runtime alone; make that client with the application's own aws.Config"}
}

const guardTakenOut = "a per-call option or an option of the client took the guard out of the stack"

// guardedAuth tells how to sign to calls within the guard alone.
type guardedAuth struct {
	*pinned.SigV4[bedrockruntime.AuthResolverParameters]
	outside outside
}

// ResolveAuthSchemes implements bedrockruntime.AuthSchemeResolver.
func (a *guardedAuth) ResolveAuthSchemes(ctx context.Context, p *bedrockruntime.AuthResolverParameters) ([]*smithyauth.Option, error) {
	if err := a.outside.unlessApproved(ctx, guardTakenOut); err != nil {
		return nil, err
	}
	return a.SigV4.ResolveAuthSchemes(ctx, p)
}

// guardedHost gives the endpoint to calls within the guard alone.
type guardedHost struct {
	*pinned.Resolver[bedrockruntime.EndpointParameters]
	outside outside
}

// ResolveEndpoint implements bedrockruntime.EndpointResolverV2.
func (h *guardedHost) ResolveEndpoint(ctx context.Context, p bedrockruntime.EndpointParameters) (smithyendpoints.Endpoint, error) {
	if err := h.outside.unlessApproved(ctx, guardTakenOut); err != nil {
		return smithyendpoints.Endpoint{}, err
	}
	return h.Resolver.ResolveEndpoint(ctx, p)
}
