package otelbedrock

import (
	"context"

	"github.com/aws/smithy-go/tracing"
	"go.opentelemetry.io/otel/trace"
)

// beneath lets the SDK's next spans start under ours. A traced SDK begins a span of the
// operation before any middleware runs, and keeps that span in a place of its own in the
// context. smithy-go's adapter takes the parent of every further span from that place, or
// from OpenTelemetry where the place is empty. beneath empties the place only where the
// SDK's span is also OpenTelemetry's parent of ours: the spans of another tracing system
// keep their parents.
func beneath(ctx context.Context, parent trace.SpanContext) context.Context {
	span, ok := tracing.GetSpan(ctx)
	if !ok || !parent.IsValid() || span.Context().SpanID != parent.SpanID().String() {
		return ctx
	}
	return withoutSpans(ctx)
}

// withoutSpans empties smithy-go's place for spans.
func withoutSpans(ctx context.Context) context.Context {
	if _, ok := tracing.GetSpan(ctx); !ok {
		return ctx
	}
	popped, _ := tracing.PopSpan(ctx)
	return withoutSpans(popped)
}
