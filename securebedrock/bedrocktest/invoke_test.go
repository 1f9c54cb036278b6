package bedrocktest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/family"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/guardrail"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/testmodel"
)

// No body panics a family's reader, and what a family reads it can answer in JSON.
func FuzzInvokeBodies(f *testing.F) {
	models := []string{
		"anthropic.claude-3-haiku-20240307-v1:0", "amazon.nova-lite-v1:0", "amazon.titan-text-express-v1", "amazon.titan-embed-text-v2:0",
		"amazon.titan-embed-image-v1", "amazon.nova-2-multimodal-embeddings-v1:0", "cohere.embed-v4:0", "cohere.command-r-v1:0", "cohere.command-text-v14",
		"cohere.rerank-v3-5:0", "meta.llama3-8b-instruct-v1:0", "mistral.mistral-7b-instruct-v0:2", "mistral.mistral-large-2402-v1:0", "openai.gpt-oss-20b-1:0",
		"ai21.j2-ultra-v1", "deepseek.r1-v1:0", "amazon.nova-canvas-v1:0", "stability.stable-image-core-v1:0", "stability.stable-diffusion-xl-v1",
		"us.twelvelabs.pegasus-1-2-v1:0", "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1", "",
	}
	for _, body := range []string{
		`{}`, `[]`, `null`, `{"messages":null}`, `{"messages":[null]}`, `{"messages":[{"role":"user","content":null}]}`, `{"prompt":"x"}`, `{"inputText":"x","inputImage":"x"}`,
		`{"anthropic_version":"x","messages":[{"role":"user","content":[{"type":"tool_result","content":[{"type":"document","source":{"type":"text","data":"x"}}]}]}],"tools":[{}],"tool_choice":{"type":"any"}}`,
		`{"messages":[{"role":"tool","content":[{"type":"image_url","image_url":{"url":"data:;base64,"}}],"tool_calls":[{"function":{"arguments":7}}]}],"tool_choice":{"function":{"name":"x"}},"stop":[null]}`,
		`{"messages":[{"role":"user","content":[{"toolUse":{"input":[1]}},{"image":{}},{}]}],"toolConfig":{"tools":[{}]},"inferenceConfig":{"max_new_tokens":1}}`,
		`{"message":"x","tool_results":[{"call":{},"outputs":[null]}],"tools":[{"parameter_definitions":{"a":{}}}],"chat_history":[{"role":"SYSTEM"}]}`,
		`{"texts":[""],"inputs":[{"content":[{}]}],"images":[""],"input_type":"x","embedding_types":["binary","x"],"output_dimension":256}`,
		`{"query":"","documents":[null,{"text":"x"}],"top_n":9}`, `{"taskType":"TEXT_IMAGE","textToImageParams":{"text":""}}`, `{"text_prompts":[{}],"samples":0}`,
		`{"taskType":"x","singleEmbeddingParams":{"text":{}}}`, `{"inputText":"<amazon-bedrock-guardrails-query_x>a</amazon-bedrock-guardrails-query_x>","amazon-bedrock-guardrailConfig":{"tagSuffix":"x"}}`,
	} {
		for i := range models {
			f.Add(uint8(i), []byte(body))
		}
	}
	s := &chats{profiles: &family.Profiles{}}
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		model := models[int(which)%len(models)]
		x := &invocation{in: &bedrockruntime.InvokeModelInput{ModelId: aws.String(model), Body: body}}
		in := &bedrockruntime.ConverseInput{ModelId: aws.String(model)}
		testmodel.AnyPrompt(x.in)
		guard, err := guardrail.ReadConfig(body)
		if err != nil || s.read(x, in, false) != nil {
			return
		}
		look := guardrail.Prompt(in, true, guard.Mark(in))
		out := testmodel.Quote(in)
		if x.family.Wordless {
			out = Content()
		}
		x.exchange = &exchange{out: testmodel.Complete(out, in, conversation.PromptTokens(in.System, in.Messages), time.Now())}
		for _, text := range look.Texts {
			_ = conversation.WordsIn(*text)
		}
		answer, err := x.body()
		if err != nil || !json.Valid(answer) {
			t.Fatalf("%s: %s, %v", model, answer, err)
		}
		if x.family.Chunks == nil {
			return
		}
		chunks, err := x.chunks()
		if err != nil || len(chunks) == 0 {
			t.Fatalf("%s: %q, %v", model, chunks, err)
		}
		for _, chunk := range chunks {
			if !json.Valid(chunk) {
				t.Fatalf("%s: %s", model, chunk)
			}
		}
	})
}
