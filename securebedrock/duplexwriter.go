package securebedrock

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
)

// writerStep stands in the place of the SDK's step that makes the pipe. The SDK's step
// closes the pipe where a step behind fails. writerStep cuts the exchange first, so
// that the stream's error is that step's and not the closed pipe's.
type writerStep struct {
	d   *duplexStep
	sdk middleware.FinalizeMiddleware
}

func (*writerStep) ID() string { return eventStreamWriter }

func (s *writerStep) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	return s.sdk.HandleFinalize(ctx, in, finalizeFunc(func(ctx context.Context, in middleware.FinalizeInput) (middleware.FinalizeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleFinalize(ctx, in)
		if x := s.d.live.Load(); x != nil && err != nil {
			x.cut(err)
		}
		return out, metadata, err
	}))
}

// replyStep stands in the place of the SDK's build step. The SDK's step reports each
// success as an error of its own ("unexpected type of result").
type replyStep struct{ sdk middleware.BuildMiddleware }

func (*replyStep) ID() string { return eventStreamBuild }

func (s *replyStep) HandleBuild(ctx context.Context, in middleware.BuildInput, next middleware.BuildHandler) (
	middleware.BuildOutput, middleware.Metadata, error,
) {
	var below error
	out, metadata, _ := s.sdk.HandleBuild(ctx, in, buildFunc(func(ctx context.Context, in middleware.BuildInput) (out middleware.BuildOutput, metadata middleware.Metadata, err error) {
		out, metadata, below = next.HandleBuild(ctx, in)
		return out, metadata, below
	}))
	if below != nil {
		return out, metadata, below
	}
	stream, ok := middleware.GetEventStreamOutputToMetadata[bedrockruntime.InvokeModelWithBidirectionalStreamOutput](&metadata)
	if !ok {
		return out, metadata, errNoStream
	}
	out.Result = stream
	return out, metadata, nil
}
