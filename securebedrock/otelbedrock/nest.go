package otelbedrock

import (
	"context"

	"github.com/aws/smithy-go/tracing"
	"go.opentelemetry.io/otel/trace"
)

// beneath lets the SDK's next spans start under ours. A traced SDK has begun a
// span of the operation before any middleware runs and keeps it in a place of its
// own in the context, from which smithy-go's adapter takes the parent of every
// further one; with that place empty it takes OpenTelemetry's. This is done only
// where the SDK's span is also OpenTelemetry's parent of ours: another tracing
// system's spans keep their parents.
func beneath(ctx context.Context, parent trace.SpanContext) context.Context {
	span, ok := tracing.GetSpan(ctx)
	if !ok || !parent.IsValid() || span.Context().SpanID != parent.SpanID().String() {
		return ctx
	}
	for ok {
		ctx, _ = tracing.PopSpan(ctx)
		_, ok = tracing.GetSpan(ctx)
	}
	return ctx
}
