package securebedrock

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/middleware"
)

// installDuplex puts the steps of a bidirectional call into its stack.
func installDuplex(stack *middleware.Stack, op *operation, spare func(context.Context) middleware.DeserializeMiddleware) (*duplexStep, error) {
	sdk, ok := stack.Deserialize.Get(eventStreamStep)
	if !ok {
		return nil, fmt.Errorf("securebedrock: the SDK's stack has no %s", eventStreamStep)
	}
	build, ok := stack.Build.Get(eventStreamBuild)
	if !ok {
		return nil, fmt.Errorf("securebedrock: the SDK's stack has no %s", eventStreamBuild)
	}
	d := &duplexStep{op: op, sdk: sdk, spare: spare}
	_, swapErr := stack.Deserialize.Swap(eventStreamStep, &handStep{d})
	_, buildErr := stack.Build.Swap(eventStreamBuild, &replyStep{build})
	writer, ok := stack.Finalize.Get(eventStreamWriter)
	if !ok {
		return nil, fmt.Errorf("securebedrock: the SDK's stack has no %s", eventStreamWriter)
	}
	_, writerErr := stack.Finalize.Swap(eventStreamWriter, &writerStep{d, writer})
	return d, errors.Join(swapErr, buildErr, writerErr, stack.Initialize.Add(d, middleware.Before))
}

// refuseOutsideGuard answers a bidirectional call on the Runtime client when somebody
// took the guard, and with it each of its steps, out of the call's options.
func refuseOutsideGuard(ctx context.Context, inner *bedrockruntime.Client) error {
	err := bypassed(duplexOperation, "a per-call option took the guard out of the stack")
	if sdk := eventStreamStepOf(ctx, inner); sdk != nil {
		(&duplexStep{sdk: sdk}).refuse(ctx, err)
	}
	return err
}

// eventStreamStepOf makes the SDK's event stream step of a bidirectional call with the
// client's own options.
func eventStreamStepOf(ctx context.Context, inner *bedrockruntime.Client) (sdk middleware.DeserializeMiddleware) {
	errStop := errors.New("the stack is not to be run")
	_, _ = inner.InvokeModelWithBidirectionalStream(ctx, nil, func(o *bedrockruntime.Options) {
		o.APIOptions = []func(*middleware.Stack) error{func(s *middleware.Stack) error {
			sdk, _ = s.Deserialize.Get(eventStreamStep)
			return errStop
		}}
	})
	return sdk
}
