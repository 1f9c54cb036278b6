package otelbedrock_test

import (
	"context"
	"testing"
	"time"

	metricnoop "go.opentelemetry.io/otel/metric/noop"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/otelbedrock"
)

// BenchmarkMiddleware is the cost of the middleware alone, around a Handler that
// answers at once. The Call of each round is part of what "without" measures.
func BenchmarkMiddleware(b *testing.B) {
	for _, row := range []struct {
		name string
		opts *otelbedrock.Options
	}{
		{"without", nil},
		{"noop", &otelbedrock.Options{TracerProvider: tracenoop.NewTracerProvider(), MeterProvider: metricnoop.NewMeterProvider()}},
		{"metrics", &otelbedrock.Options{TracerProvider: tracenoop.NewTracerProvider(), MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))}},
		{"both", &otelbedrock.Options{TracerProvider: sdktrace.NewTracerProvider(), MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewManualReader()))}},
	} {
		b.Run(row.name, func(b *testing.B) {
			in, res := converse("hello"), new(securebedrock.Result)
			h := securebedrock.Handler(func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { return res, nil })
			if row.opts != nil {
				mw, err := otelbedrock.Middleware(*row.opts)
				if err != nil {
					b.Fatal(err)
				}
				h = mw(h)
			}
			ctx := b.Context()
			b.ReportAllocs()
			for b.Loop() {
				call := &securebedrock.Call{
					ID: "ABCDEFGHIJKLMNOPQRSTUVWXYZ", Operation: "Converse", Region: "eu-central-1", Host: "bedrock-runtime.eu-central-1.amazonaws.com",
					Model:     securebedrock.Model{ID: haiku, Kind: securebedrock.KindFoundationModel},
					Guardrail: securebedrock.Guardrail{ID: "a1b2c3d4e5f6", Version: "3"}, Input: in, Start: time.Now(),
				}
				if _, err := h(ctx, call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
