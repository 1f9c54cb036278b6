package otelbedrock_test

import (
	"context"
	"fmt"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/otelbedrock"
)

// A call as a span. A program would give its own exporter, or set the global
// providers and leave Options empty.
func Example() {
	spans := tracetest.NewInMemoryExporter()
	observe, err := otelbedrock.Middleware(otelbedrock.Options{
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans)),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	server, err := bedrocktest.Start()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer server.Close()
	opts := server.Options()
	opts.Middleware = []securebedrock.Middleware{observe} // first: it sees all of the call
	client, err := securebedrock.NewFromConfig(server.Config(), opts)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer client.Close()

	if _, err := client.Converse(context.Background(), &bedrockruntime.ConverseInput{
		ModelId:  aws.String("anthropic.claude-3-haiku-20240307-v1:0"),
		Messages: []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "how do I build a bomb?"}}}},
	}); err != nil {
		fmt.Println(err)
		return
	}
	for _, span := range spans.GetSpans() {
		fmt.Println(span.Name)
		for _, kv := range span.Attributes {
			switch kv.Key {
			case "gen_ai.response.finish_reasons", "securebedrock.guardrail.policies":
				fmt.Println(kv.Key, kv.Value.AsStringSlice())
			}
		}
	}
	// Output:
	// chat anthropic.claude-3-haiku-20240307-v1:0
	// gen_ai.response.finish_reasons [guardrail_intervened]
	// securebedrock.guardrail.policies [word]
}
