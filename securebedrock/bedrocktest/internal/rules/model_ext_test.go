package rules_test

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func embed(ctx context.Context, c *bedrockruntime.Client, id string) error {
	_, err := c.InvokeModel(ctx, &bedrockruntime.InvokeModelInput{ModelId: &id, Body: []byte(`{"inputText":"x","messages":[{"role":"user","content":[{"text":"x"}]}],
		"texts":["x"],"input_type":"search_query","prompt":"x","anthropic_version":"bedrock-2023-05-31","max_tokens":5}`)})
	return err
}

func converseWith(ctx context.Context, c *bedrockruntime.Client, id string) error {
	_, err := c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: &id, Messages: probe.User("x")})
	return err
}

// The models of Bedrock's documentation are known, by ID, by inference profile and
// by ARN.
func TestModelsThatExist(t *testing.T) {
	s := bedrocktest.NewServer(t)
	chat := strings.Fields(`ai21.jamba-1-5-large-v1:0 ai21.j2-ultra-v1 amazon.nova-micro-v1:0 amazon.nova-lite-v1:0:24k amazon.nova-premier-v1:0 amazon.nova-2-lite-v1:0
		amazon.titan-text-express-v1 amazon.titan-text-lite-v1:0:4k amazon.titan-tg1-large anthropic.claude-v2:1 anthropic.claude-instant-v1 anthropic.claude-3-haiku-20240307-v1:0
		anthropic.claude-3-haiku-20240307-v1:0:48k anthropic.claude-3-5-sonnet-20241022-v2:0 anthropic.claude-sonnet-4-20250514-v1:0 anthropic.claude-opus-4-6-v1
		anthropic.claude-sonnet-4-6 anthropic.claude-opus-4-8 anthropic.claude-sonnet-5 anthropic.claude-fable-5 cohere.command-r-plus-v1:0 cohere.command-text-v14
		deepseek.r1-v1:0 deepseek.v3.2 google.gemma-3-27b-it meta.llama3-8b-instruct-v1:0 meta.llama2-70b-chat-v1 meta.llama4-scout-17b-instruct-v1:0 minimax.minimax-m2.5
		mistral.mistral-7b-instruct-v0:2 mistral.mixtral-8x7b-instruct-v0:1 mistral.mistral-large-3-675b-instruct mistral.magistral-small-2509 mistral.devstral-2-123b
		mistral.pixtral-large-2502-v1:0 mistral.voxtral-small-24b-2507 moonshot.kimi-k2-thinking moonshotai.kimi-k3 nvidia.nemotron-nano-12b-v2 openai.gpt-oss-120b-1:0
		openai.gpt-oss-safeguard-20b openai.gpt-5.6-luna qwen.qwen3-235b-a22b-2507-v1:0 qwen.qwen3-coder-480b-a35b-v1:0 qwen.qwen3-next-80b-a3b
		writer.palmyra-x5-v1:0 zai.glm-4.6 zai.glm-5.3 us.anthropic.claude-3-haiku-20240307-v1:0 global.anthropic.claude-opus-4-8 jp.amazon.nova-2-lite-v1:0 us-gov.anthropic.claude-3-haiku-20240307-v1:0
		arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0 arn:aws:bedrock:us-east-1:123456789012:inference-profile/eu.amazon.nova-lite-v1:0
		arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc123 arn:aws:bedrock:us-east-1:123456789012:provisioned-model/abcdefghijkl
		arn:aws:bedrock:us-east-1:123456789012:imported-model/abcdefghijkl arn:aws:bedrock:us-east-1:123456789012:custom-model-deployment/abcdefghijkl
		arn:aws:bedrock:us-east-1:123456789012:default-prompt-router/anthropic.claude:1 arn:aws:sagemaker:us-east-1:123456789012:endpoint/mine`)
	for _, id := range chat {
		if err := converseWith(t.Context(), probe.Client(s), id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	for _, id := range strings.Fields(`amazon.titan-embed-text-v1 amazon.titan-embed-text-v2:0 amazon.titan-embed-g1-text-02 amazon.titan-embed-image-v1 cohere.embed-english-v3
		cohere.embed-v4:0 cohere.embed-multilingual-v3:0:512 us.cohere.embed-v4:0`) {
		if err := embed(t.Context(), probe.Client(s), id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
		err := converseWith(t.Context(), probe.Client(s), id)
		probe.RefusesWith(t, id, err, "doesn't support the model")
	}
	for _, id := range strings.Fields(`amazon.nova-reel-v1:0 amazon.nova-sonic-v1:0 amazon.nova-canvas-v1:0 amazon.titan-image-generator-v2:0 stability.sd3-5-large-v1:0
		stability.stable-image-core-v1:1 luma.ray-v2:0 twelvelabs.marengo-embed-2-7-v1:0 amazon.rerank-v1:0 cohere.rerank-v3-5:0 amazon.nova-2-multimodal-embeddings-v1:0`) {
		err := converseWith(t.Context(), probe.Client(s), id)
		probe.RefusesWith(t, id, err, "doesn't support the model")
	}
}

// A model that no provider has is refused, whatever the operation: misspelt, cut
// short, with another date, of another provider, or made up.
func TestModelsThatDoNotExist(t *testing.T) {
	s := bedrocktest.NewServer(t)
	c := probe.Client(s)
	calls := map[string]func(id string) error{
		"Converse": func(id string) error { return converseWith(t.Context(), c, id) },
		"ConverseStream": func(id string) error {
			_, err := c.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: &id, Messages: probe.User("x")})
			return err
		},
		"InvokeModel": func(id string) error { return embed(t.Context(), c, id) },
		"InvokeModelWithResponseStream": func(id string) error {
			_, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &id, Body: probe.InvokeBody(t, "x")})
			return err
		},
		"CountTokens": func(id string) error {
			_, err := c.CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: &id, Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: probe.User("x")}}})
			return err
		},
		"StartAsyncInvoke": func(id string) error {
			_, err := c.StartAsyncInvoke(t.Context(), &bedrockruntime.StartAsyncInvokeInput{ModelId: &id, ModelInput: document.NewLazyDocument(map[string]any{}),
				OutputDataConfig: &types.AsyncInvokeOutputDataConfigMemberS3OutputDataConfig{Value: types.AsyncInvokeS3OutputDataConfig{S3Uri: aws.String("s3://bucket/x")}}})
			return err
		},
	}
	for _, id := range strings.Fields(`no-such-model claude gpt-4 anthropic.claude-3-sonet-20240229-v1:0 anthropic.claude-3-sonet anthropic.claude-3-haiku anthropic.claude-3-haiku-20240307
		anthropic.claude-3-haiku-20240308-v1:0 anthropic.claude-3-5-sonnet-20241022-v1:0 anthropic.claude-sonnet-4-5-v1:0 anthropic.claude-99 anthropic.claude anthropic.x
		anthropc.claude-3-haiku-20240307-v1:0 openai.claude-3-haiku-20240307-v1:0 amazon.nova-lite amazon.nova-lite-v1 amazon.nova-huge-v1:0 amazon.titan-text-express amazon.titan-v1
		meta.llama3-8b-instruct meta.lama3-8b-instruct-v1:0 mistral.mistral-7b-instuct-v0:2 cohere.command-x-v1:0 newcomer.model-4.5 mars.anthropic.claude-v2
		us.anthropic.claude-3-sonet-20240229-v1:0 uk.anthropic.claude-3-haiku-20240307-v1:0 arn:aws:bedrock:us-east-1::foundation-model/anthropic.claude-3-sonet-20240229-v1:0
		arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-3-sonet-20240229-v1:0 arn:aws:bedrock:us-east-1:123456789012:inference-profile/mars.anthropic.claude-v2
		amazon.nova-v1:0 arn:aws:s3:::bucket anthropic.claude_v2! ANTHROPIC.CLAUDE-V2`) {
		for name, call := range calls {
			if err := call(id); err == nil {
				t.Errorf("%s takes %s", name, id)
			} else {
				probe.WantCode(t, err, 400, "ValidationException")
			}
		}
	}
	probe.RefusesWith(t, "a short ID", calls["Converse"]("arn:aws:bedrock:us-east-1:123456789012:provisioned-model/short"), "'modelId' failed to satisfy constraint")
	probe.RefusesWith(t, "a misspelt model", calls["Converse"]("anthropic.claude-3-sonet-20240229-v1:0"), "The provided model identifier is invalid.")
}
