package main

import (
	"errors"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/otelbedrock"
)

// use puts the module into the options. What it returns is called after the call.
func use(server *bedrocktest.Server, opts *securebedrock.Options) (after func() error, err error) {
	spans := tracetest.NewInMemoryExporter()
	observe, err := otelbedrock.Middleware(otelbedrock.Options{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))})
	opts.Middleware = []securebedrock.Middleware{observe}
	return func() error {
		if len(spans.GetSpans()) == 0 {
			return errors.New("there is no span")
		}
		return nil
	}, err
}
