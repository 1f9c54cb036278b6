package securebedrock

import (
	"context"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// ruleStep stands in the serializer's place: rules first, then the serializer,
// whose protocol notes what the gate will demand to see again.
type ruleStep struct {
	g         *guard
	op        *operation
	serialize middleware.SerializeMiddleware
}

func (s *ruleStep) ID() string { return s.serialize.ID() }

func (s *ruleStep) HandleSerialize(ctx context.Context, in middleware.SerializeInput, next middleware.SerializeHandler) (
	middleware.SerializeOutput, middleware.Metadata, error,
) {
	ex := exchangeOf(ctx)
	if ex == nil || ex.op != s.op {
		return middleware.SerializeOutput{}, middleware.Metadata{}, bypassed(s.op.name,
			"the call did not enter through the guard's own chain")
	}
	if err := s.approve(ctx, ex, &in); err != nil {
		return middleware.SerializeOutput{}, middleware.Metadata{}, ex.named(err)
	}
	ex.afterSerializer = next
	return s.serialize.HandleSerialize(unsigned(ctx), in, (*serialized)(ex))
}

// serialized is an exchange between the serializer and the step after the serializer,
// where the seal closes. It is the pass's own: a step that returns early may have left
// an earlier pass in the serializer.
type serialized exchange

func (s *serialized) HandleSerialize(ctx context.Context, in middleware.SerializeInput) (
	middleware.SerializeOutput, middleware.Metadata, error,
) {
	if !s.seal.Approve() {
		return middleware.SerializeOutput{}, middleware.Metadata{}, (*exchange)(s).named(refuse(ErrEndpoint,
			"the request was not made by the client's own serializer; a step or a per-call option replaced the SDK's OperationSerializer or Options.Protocol"))
	}
	return s.afterSerializer.HandleSerialize(ctx, in)
}

// approve runs the rules, once an exchange.
func (s *ruleStep) approve(ctx context.Context, ex *exchange, in *middleware.SerializeInput) error {
	if !ex.seal.Judge() {
		return refuse(ErrEndpoint, "a step of the SDK's stack called its next handler again, which would send another prompt under the same record; call the Client again")
	}
	input, ok := s.op.clone(in.Parameters)
	if !ok {
		return s.op.foreign(in.Parameters)
	}
	if err := ex.print.Unchanged(ctx, input); err != nil {
		return err
	}
	if err := s.g.judge(ctx, judgement{op: s.op, id: ex.id, unguarded: ex.unguarded, model: &ex.model}, input); err != nil {
		return err
	}
	ex.input, in.Parameters = input, input
	return nil
}

// unsigned takes back what a per-call option said about signing, so that what the
// auth scheme says holds.
func unsigned(ctx context.Context) context.Context {
	if awsmiddleware.GetSigningRegion(ctx) != "" { //nolint:staticcheck // the SDK still heeds it
		ctx = awsmiddleware.SetSigningRegion(ctx, "") //nolint:staticcheck // the SDK still heeds it
	}
	if awsmiddleware.GetSigningName(ctx) != "" { //nolint:staticcheck // the SDK still heeds it
		ctx = awsmiddleware.SetSigningName(ctx, "") //nolint:staticcheck // the SDK still heeds it
	}
	if awsmiddleware.GetRequiresLegacyEndpoints(ctx) {
		ctx = awsmiddleware.SetRequiresLegacyEndpoints(ctx, false)
	}
	return ctx
}
