package securebedrock

import (
	"context"

	"github.com/aws/smithy-go/middleware"
)

// Functions as handlers of the SDK's stack.
type (
	deserializeFunc func(context.Context, middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error)
	finalizeFunc    func(context.Context, middleware.FinalizeInput) (middleware.FinalizeOutput, middleware.Metadata, error)
	buildFunc       func(context.Context, middleware.BuildInput) (middleware.BuildOutput, middleware.Metadata, error)
)

func (f deserializeFunc) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput) (middleware.DeserializeOutput, middleware.Metadata, error) {
	return f(ctx, in)
}

func (f finalizeFunc) HandleFinalize(ctx context.Context, in middleware.FinalizeInput) (middleware.FinalizeOutput, middleware.Metadata, error) {
	return f(ctx, in)
}

func (f buildFunc) HandleBuild(ctx context.Context, in middleware.BuildInput) (middleware.BuildOutput, middleware.Metadata, error) {
	return f(ctx, in)
}
