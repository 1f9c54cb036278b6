package main

import (
	"context"
	"fmt"
	"os"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/otelbedrock"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	server, err := bedrocktest.Start()
	if err != nil {
		return err
	}
	defer server.Close()
	opts := server.Options()
	spans := tracetest.NewInMemoryExporter()
	observe, err := otelbedrock.Middleware(otelbedrock.Options{TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))})
	if err != nil {
		return err
	}
	opts.Middleware = []securebedrock.Middleware{observe}
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		return err
	}
	answer, err := client.InvokeModelSafely(ctx, "anthropic.claude-3-haiku-20240307-v1:0", []types.Message{{
		Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "Hello!"}},
	}})
	if err != nil {
		return err
	}
	if err := client.Shutdown(ctx); err != nil {
		return err
	}
	if n := len(spans.GetSpans()); n == 0 {
		return fmt.Errorf("%d spans", n)
	}
	fmt.Println("answered:", answer.StopReason)
	return nil
}
