package bedrocktest_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image/png"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const profileARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6"

// at is the value at a path such as "choices.0.message.content", as JSON; "" where
// there is none.
func at(t *testing.T, body []byte, path string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal(body, &v); err != nil {
		t.Fatalf("%s: %v", body, err)
	}
	for key := range strings.SplitSeq(path, ".") {
		switch in := v.(type) {
		case map[string]any:
			next, ok := in[key]
			if !ok {
				return ""
			}
			v = next
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(in) {
				return ""
			}
			v = in[i]
		default:
			return ""
		}
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// watched is a guarded client, and the Outcome of its last call.
func watched(t *testing.T, s *bedrocktest.Server) (*securebedrock.Client, func() securebedrock.Outcome) {
	t.Helper()
	last := make(chan securebedrock.Outcome, 1)
	opts := s.Options()
	opts.Guardrail, opts.Unguarded = securebedrock.Guardrail{}, "a test of bodies"
	opts.Residency = []string{"*"}
	opts.Middleware = []securebedrock.Middleware{func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			r, err := next(ctx, call)
			r.OnDone(func(o securebedrock.Outcome) { last <- o })
			return r, err
		}
	}}
	c, err := securebedrock.NewFromConfig(s.Config(), opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, func() securebedrock.Outcome { return <-last }
}

func guardedChunks(t *testing.T, c *securebedrock.Client, model, body string) [][]byte {
	t.Helper()
	out, err := c.InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &model, Body: []byte(body)})
	if err != nil {
		t.Fatal(err)
	}
	var chunks [][]byte
	for event := range out.GetStream().Events() {
		chunks = append(chunks, event.(*types.ResponseStreamMemberChunk).Value.Bytes)
	}
	if err := errors.Join(out.GetStream().Err(), out.GetStream().Close()); err != nil {
		t.Fatal(err)
	}
	return chunks
}

// Each family is asked and answers in its own form, unary and streamed, and the
// guarded client reads the usage and the stop reason of each.
func TestInvokeModelFamilies(t *testing.T) {
	const answer = "Grüße aus Zürich, 東京 und anderswo 🙂 in der Welt"
	const chat = `{"messages":[{"role":"system","content":"be brief"},{"role":"user","content":"one two three"}],"max_tokens":50,"stop":["x"]}`
	anthropic := `{"anthropic_version":"bedrock-2023-05-31","max_tokens":50,"system":"be brief","stop_sequences":["x"],"messages":[{"role":"user","content":[{"type":"text","text":"one two three"}]}]}`
	openAI := [4]string{"choices.0.message.content", "choices.0.finish_reason", "choices.0.delta.content", `"stop"`}
	for _, row := range []struct {
		name, model, body       string
		text, stop, piece, word string // paths of the answer, and the word for its end
		system                  bool   // the body has a system prompt
		noStops                 bool   // the form has no stop sequences
		unary                   bool   // the family does not stream
	}{
		{"Anthropic", model, anthropic, "content.0.text", "stop_reason", "delta.text", `"end_turn"`, true, false, false},
		{"a geographic profile", "eu." + model, anthropic, "content.0.text", "stop_reason", "delta.text", `"end_turn"`, true, false, false},
		{"a profile's ARN", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us." + model, anthropic, "content.0.text", "stop_reason", "delta.text", `"end_turn"`, true, false, false},
		{"a model's ARN", "arn:aws:bedrock:us-east-1::foundation-model/" + model, anthropic, "content.0.text", "stop_reason", "delta.text", `"end_turn"`, true, false, false},
		{"an application profile that is named", profileARN, `{"prompt":"one two three"}`, "generation", "stop_reason", "generation", `"stop"`, false, true, false},
		{"an application profile that is not, of Anthropic", profileARN + "x", anthropic, "content.0.text", "stop_reason", "delta.text", `"end_turn"`, true, false, false},
		{"Anthropic's completions", "anthropic.claude-v2:1", `{"prompt":"\n\nHuman: one two three\n\nAssistant:","max_tokens_to_sample":50,"stop_sequences":["x"]}`, "completion", "stop_reason", "completion", `"stop_sequence"`, false, false, false},
		{"Nova", "amazon.nova-lite-v1:0", `{"schemaVersion":"messages-v1","system":[{"text":"be brief"}],"messages":[{"role":"user","content":[{"text":"one two three"}]}],"inferenceConfig":{"maxTokens":50,"stopSequences":["x"]}}`,
			"output.message.content.0.text", "stopReason", "contentBlockDelta.delta.text", `"end_turn"`, true, false, false},
		{"Titan text", "amazon.titan-text-express-v1", `{"inputText":"one two three","textGenerationConfig":{"maxTokenCount":50,"stopSequences":["x"]}}`, "results.0.outputText", "results.0.completionReason", "outputText", `"FINISH"`, false, false, false},
		{"Llama", "us.meta.llama3-3-70b-instruct-v1:0", `{"prompt":"one two three","max_gen_len":50}`, "generation", "stop_reason", "generation", `"stop"`, false, true, false},
		{"Mistral text", "mistral.mistral-7b-instruct-v0:2", `{"prompt":"one two three","max_tokens":50,"stop":["x"]}`, "outputs.0.text", "outputs.0.stop_reason", "outputs.0.text", `"stop"`, false, false, false},
		{"Mistral chat", "mistral.mistral-large-2402-v1:0", chat, "choices.0.message.content", "choices.0.stop_reason", "choices.0.message.content", `"stop"`, true, false, false},
		{"Pixtral", "us.mistral.pixtral-large-2502-v1:0", chat, openAI[0], openAI[1], openAI[2], openAI[3], true, false, false},
		{"Jamba", "ai21.jamba-1-5-large-v1:0", chat, openAI[0], openAI[1], openAI[2], openAI[3], true, false, false},
		{"Jurassic", "ai21.j2-ultra-v1", `{"prompt":"one two three","maxTokens":50,"stopSequences":["x"]}`, "completions.0.data.text", "completions.0.finishReason.reason", "", `"endoftext"`, false, false, true},
		{"gpt-oss", "openai.gpt-oss-120b-1:0", chat, openAI[0], openAI[1], openAI[2], openAI[3], true, false, false},
		{"Qwen", "qwen.qwen3-32b-v1:0", chat, openAI[0], openAI[1], openAI[2], openAI[3], true, false, false},
		{"DeepSeek V3", "deepseek.v3-v1:0", chat, openAI[0], openAI[1], openAI[2], openAI[3], true, false, false},
		{"DeepSeek R1", "us.deepseek.r1-v1:0", `{"prompt":"one two three","max_tokens":50,"stop":["x"]}`, "choices.0.text", "choices.0.stop_reason", "choices.0.text", `"stop"`, false, false, false},
		{"Cohere Command", "cohere.command-text-v14", `{"prompt":"one two three","max_tokens":50,"stop_sequences":["x"]}`, "generations.0.text", "generations.0.finish_reason", "text", `"COMPLETE"`, false, false, false},
		{"Cohere Command R", "cohere.command-r-plus-v1:0", `{"message":"one two three","preamble":"be brief","max_tokens":50,"stop_sequences":["x"]}`, "text", "finish_reason", "text", `"COMPLETE"`, true, false, false},
		{"Pegasus", "us.twelvelabs.pegasus-1-2-v1:0", `{"inputPrompt":"one two three","mediaSource":{"s3Location":{"uri":"s3://b/k","bucketOwner":"123456789012"}},"maxOutputTokens":50}`, "message", "finishReason", "message", `"stop"`, false, true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := bedrocktest.NewServer(t)
			s.AddInferenceProfile(profileARN, "us.meta.llama3-3-70b-instruct-v1:0")
			var asked *bedrockruntime.ConverseInput
			s.Reply(func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
				asked = in
				out := bedrocktest.Text(answer)
				out.Usage = &types.TokenUsage{InputTokens: aws.Int32(7), OutputTokens: aws.Int32(9)}
				return out, nil
			})
			c, outcome := watched(t, s)
			counted := func() {
				t.Helper()
				o := outcome()
				if o.Usage.InputTokens != 7 || o.Usage.OutputTokens != 9 {
					t.Errorf("the guarded client counts %+v", o.Usage)
				}
				if want := strings.Trim(row.word, `"`); o.StopReason != want {
					t.Errorf("the guarded client reads the stop reason %q, want %q", o.StopReason, want)
				}
			}
			out, err := c.InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: &row.model, Body: []byte(row.body)})
			if err != nil {
				t.Fatal(err)
			}
			counted()
			if got := at(t, out.Body, row.text); got != strconv.Quote(answer) {
				t.Errorf("text %s in %s", got, out.Body)
			}
			if got := at(t, out.Body, row.stop); got != row.word {
				t.Errorf("stop reason %s in %s", got, out.Body)
			}
			if in, n := rawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Input-Token-Count"), rawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Output-Token-Count"); in != "7" || n != "9" {
				t.Errorf("the headers count %q and %q", in, n)
			}
			if got := asked.Messages[len(asked.Messages)-1].Content[0].(*types.ContentBlockMemberText).Value; !strings.Contains(got, "one two three") {
				t.Errorf("the model was asked %q", got)
			}
			if got := len(asked.System) == 1 && asked.System[0].(*types.SystemContentBlockMemberText).Value == "be brief"; got != row.system {
				t.Errorf("system prompt %+v", asked.System)
			}
			if settings := asked.InferenceConfig; strings.Contains(row.body, "50") && (aws.ToInt32(settings.MaxTokens) != 50 || !row.noStops && fmt.Sprint(settings.StopSequences) != "[x]") {
				t.Errorf("settings %+v", settings)
			}
			if row.unary {
				_, err := client(s).InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &row.model, Body: []byte(row.body)})
				wantCode(t, err, 400, "ValidationException")
				return
			}
			chunks := guardedChunks(t, c, row.model, row.body)
			counted()
			var text strings.Builder
			for _, chunk := range chunks {
				if piece := at(t, chunk, row.piece); piece != "" && piece != "null" {
					var s string
					if err := json.Unmarshal([]byte(piece), &s); err != nil {
						t.Fatal(err)
					}
					text.WriteString(s)
				}
			}
			if text.String() != answer {
				t.Errorf("streamed %q in %s", text.String(), bytes.Join(chunks, []byte("\n")))
			}
			last := chunks[len(chunks)-1]
			if at(t, last, "amazon-bedrock-invocationMetrics.inputTokenCount") != "7" || at(t, last, "amazon-bedrock-invocationMetrics.outputTokenCount") != "9" || len(chunks) < 3 {
				t.Errorf("the last of %d chunks is %s", len(chunks), last)
			}
		})
	}
}

// Tools that a body offers reach Reply, the tool that a Reply asks for goes back in
// the family's form, and its result reaches the next Reply.
func TestInvokeModelTools(t *testing.T) {
	const schema = `{"type":"object","properties":{"city":{"type":"string"}}}`
	chat := `{"tools":[{"type":"function","function":{"name":"weather","description":"d","parameters":` + schema + `}}],"tool_choice":%s,
		"messages":[{"role":"user","content":"how is it?"},
		{"role":"assistant","content":"","tool_calls":[{"id":"t1","type":"function","function":{"name":"weather","arguments":"{\"city\":\"Bern\"}"}}]},
		{"role":"tool","tool_call_id":"t1","content":"rain"}]}`
	for _, row := range []struct {
		name, model, body  string
		use, args, stop    string // paths of the tool's name and arguments, and of the stop reason
		word               string
		piece              string // the path of the arguments in a chunk
		choice             types.ToolChoice
		encoded, fromArray bool // the arguments are JSON in a string; Command R has no IDs
	}{
		{"Anthropic", model, `{"anthropic_version":"bedrock-2023-05-31","max_tokens":9,"tools":[{"name":"weather","description":"d","input_schema":` + schema + `}],"tool_choice":{"type":"tool","name":"weather"},
			"messages":[{"role":"user","content":"how is it?"},{"role":"assistant","content":[{"type":"tool_use","id":"t1","name":"weather","input":{"city":"Bern"}}]},
			{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":"rain"}]}]}`,
			"content.0.name", "content.0.input", "stop_reason", `"tool_use"`, "delta.partial_json", &types.ToolChoiceMemberTool{Value: types.SpecificToolChoice{Name: aws.String("weather")}}, false, false},
		{"Nova", "amazon.nova-pro-v1:0", `{"toolConfig":{"tools":[{"toolSpec":{"name":"weather","description":"d","inputSchema":{"json":` + schema + `}}}],"toolChoice":{"any":{}}},
			"messages":[{"role":"user","content":[{"text":"how is it?"}]},{"role":"assistant","content":[{"toolUse":{"toolUseId":"t1","name":"weather","input":{"city":"Bern"}}}]},
			{"role":"user","content":[{"toolResult":{"toolUseId":"t1","content":[{"text":"rain"}]}}]}]}`,
			"output.message.content.0.toolUse.name", "output.message.content.0.toolUse.input", "stopReason", `"tool_use"`, "contentBlockDelta.delta.toolUse.input", &types.ToolChoiceMemberAny{}, false, false},
		{"gpt-oss", "openai.gpt-oss-20b-1:0", fmt.Sprintf(chat, `"required"`), "choices.0.message.tool_calls.0.function.name", "choices.0.message.tool_calls.0.function.arguments", "choices.0.finish_reason", `"tool_calls"`,
			"choices.0.delta.tool_calls.0.function.arguments", &types.ToolChoiceMemberAny{}, true, false},
		{"Mistral", "mistral.mistral-large-2407-v1:0", fmt.Sprintf(chat, `"auto"`), "choices.0.message.tool_calls.0.function.name", "choices.0.message.tool_calls.0.function.arguments", "choices.0.stop_reason", `"tool_calls"`,
			"choices.0.message.tool_calls.0.function.arguments", &types.ToolChoiceMemberAuto{}, true, false},
		{"Command R", "cohere.command-r-v1:0", `{"message":"how is it?","tools":[{"name":"weather","description":"d","parameter_definitions":{"city":{"type":"string","required":true}}}],
			"tool_results":[{"call":{"name":"weather","parameters":{"city":"Bern"}},"outputs":[{"text":"rain"}]}]}`,
			"tool_calls.0.name", "tool_calls.0.parameters", "finish_reason", `"COMPLETE"`, "", nil, false, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := bedrocktest.NewServer(t)
			var asked *bedrockruntime.ConverseInput
			s.Reply(func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
				asked = in
				return bedrocktest.ToolUse("t2", "weather", map[string]string{"city": "Zürich"}), nil
			})
			out, err := client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: &row.model, Body: []byte(row.body)})
			if err != nil {
				t.Fatal(err)
			}
			spec := asked.ToolConfig.Tools[0].(*types.ToolMemberToolSpec).Value
			offered, err := spec.InputSchema.(*types.ToolInputSchemaMemberJson).Value.MarshalSmithyDocument()
			if err != nil || *spec.Name != "weather" || *spec.Description != "d" || at(t, offered, "properties.city.type") != `"string"` {
				t.Errorf("tool %+v %s %v", spec, offered, err)
			}
			if fmt.Sprintf("%T", asked.ToolConfig.ToolChoice) != fmt.Sprintf("%T", row.choice) {
				t.Errorf("choice %T", asked.ToolConfig.ToolChoice)
			}
			if len(asked.Messages) != 3 {
				t.Fatalf("%d messages", len(asked.Messages))
			}
			use := asked.Messages[1].Content[0].(*types.ContentBlockMemberToolUse).Value
			given, err := use.Input.MarshalSmithyDocument()
			if err != nil || *use.Name != "weather" || at(t, given, "city") != `"Bern"` {
				t.Errorf("use %+v %s %v", use, given, err)
			}
			result := asked.Messages[2].Content[0].(*types.ContentBlockMemberToolResult).Value
			if *result.ToolUseId != *use.ToolUseId || !row.fromArray && result.Content[0].(*types.ToolResultContentBlockMemberText).Value != "rain" {
				t.Errorf("result %+v", result)
			}
			if at(t, out.Body, row.use) != `"weather"` || at(t, out.Body, row.stop) != row.word {
				t.Errorf("%s", out.Body)
			}
			args := []byte(at(t, out.Body, row.args))
			if row.encoded {
				var text string
				if err := json.Unmarshal(args, &text); err != nil {
					t.Fatal(err)
				}
				args = []byte(text)
			}
			if at(t, args, "city") != `"Zürich"` {
				t.Errorf("arguments %s", args)
			}
			if row.piece == "" {
				return
			}
			var streamed strings.Builder
			for _, chunk := range invokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &row.model, Body: []byte(row.body)}) {
				if piece := at(t, []byte(chunk), row.piece); piece != "" {
					var text string
					if err := json.Unmarshal([]byte(piece), &text); err != nil {
						t.Fatal(err)
					}
					streamed.WriteString(text)
				}
			}
			if streamed.String() != `{"city":"Zürich"}` {
				t.Errorf("streamed %q", streamed.String())
			}
		})
	}
}

// Models whose answer is no message have their own answer, and leave Reply alone.
func TestInvokeModelWithoutWords(t *testing.T) {
	for _, row := range []struct {
		name, model, body string
		want              map[string]string // path → JSON
		lengths           map[string]int    // path of a vector → dimensions
		image             string            // the path of a PNG
	}{
		{"Titan embeddings v1", "amazon.titan-embed-text-v1", `{"inputText":"one two"}`, map[string]string{"inputTextTokenCount": "2", "embeddingsByType": ""}, map[string]int{"embedding": 1536}, ""},
		{"Titan embeddings v2", "amazon.titan-embed-text-v2:0", `{"inputText":"one two"}`, map[string]string{"inputTextTokenCount": "2"}, map[string]int{"embedding": 1024, "embeddingsByType.float": 1024}, ""},
		{"Titan embeddings v2, small and binary", "amazon.titan-embed-text-v2:0", `{"inputText":"one two","dimensions":256,"embeddingTypes":["binary"]}`, map[string]string{"embedding": ""}, map[string]int{"embeddingsByType.binary": 32}, ""},
		{"Titan multimodal", "amazon.titan-embed-image-v1", `{"inputImage":"aGk=","embeddingConfig":{"outputEmbeddingLength":384}}`, map[string]string{"message": "null"}, map[string]int{"embedding": 384}, ""},
		{"Nova embeddings", "amazon.nova-2-multimodal-embeddings-v1:0", `{"schemaVersion":"nova-multimodal-embed-v1","taskType":"SINGLE_EMBEDDING","singleEmbeddingParams":{"embeddingPurpose":"GENERIC_INDEX","text":{"truncationMode":"END","value":"one"}}}`,
			map[string]string{"embeddings.0.embeddingType": `"TEXT"`}, map[string]int{"embeddings.0.embedding": 3072}, ""},
		{"Cohere embed v3", "cohere.embed-english-v3", `{"texts":["one","two three"],"input_type":"search_document"}`, map[string]string{"response_type": `"embeddings_floats"`, "texts.1": `"two three"`}, map[string]int{"embeddings": 2, "embeddings.1": 1024}, ""},
		{"Cohere embed v4, several types", "us.cohere.embed-v4:0", `{"texts":["one"],"input_type":"search_query","embedding_types":["float","int8"],"output_dimension":512}`, map[string]string{"response_type": `"embeddings_by_type"`}, map[string]int{"embeddings.float.0": 512, "embeddings.int8.0": 512}, ""},
		{"Cohere rerank", "cohere.rerank-v3-5:0", `{"api_version":2,"query":"capital of Japan","documents":["Bern is a town","Tokyo is the capital of Japan"],"top_n":1}`, map[string]string{"results.0.index": "1", "results.0.relevance_score": "1", "results.1": ""}, nil, ""},
		{"Amazon rerank", "amazon.rerank-v1:0", `{"query":"capital of Japan","documents":["Bern is a town","Tokyo is the capital of Japan"]}`, map[string]string{"results.0.index": "1", "results.1.index": "0"}, nil, ""},
		{"Titan image", "amazon.titan-image-generator-v2:0", `{"taskType":"TEXT_IMAGE","textToImageParams":{"text":"a fox"},"imageGenerationConfig":{"numberOfImages":2}}`, map[string]string{"error": "null"}, map[string]int{"images": 2}, "images.1"},
		{"Nova Canvas", "amazon.nova-canvas-v1:0", `{"taskType":"TEXT_IMAGE","textToImageParams":{"text":"a fox"}}`, nil, map[string]int{"images": 1}, "images.0"},
		{"Stable Image", "stability.stable-image-ultra-v1:1", `{"prompt":"a fox"}`, map[string]string{"finish_reasons.0": "null", "seeds.0": "0"}, map[string]int{"images": 1}, "images.0"},
		{"Stable Diffusion XL", "stability.stable-diffusion-xl-v1", `{"text_prompts":[{"text":"a fox"}]}`, map[string]string{"result": `"success"`, "artifacts.0.finishReason": `"SUCCESS"`}, nil, "artifacts.0.base64"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := bedrocktest.NewServer(t)
			s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
				t.Error("Reply was asked")
				return nil, nil
			})
			out, err := client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: &row.model, Body: []byte(row.body)})
			if err != nil {
				t.Fatal(err)
			}
			for path, want := range row.want {
				if got := at(t, out.Body, path); got != want {
					t.Errorf("%s is %s, want %s", path, got, want)
				}
			}
			for path, want := range row.lengths {
				var list []any
				if err := json.Unmarshal([]byte(at(t, out.Body, path)), &list); err != nil || len(list) != want {
					t.Errorf("%s has %d elements, want %d (%v)", path, len(list), want, err)
				}
			}
			if row.image != "" {
				var text string
				if err := json.Unmarshal([]byte(at(t, out.Body, row.image)), &text); err != nil {
					t.Fatal(err)
				}
				data, err := base64.StdEncoding.DecodeString(text)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := png.Decode(bytes.NewReader(data)); err != nil {
					t.Errorf("the image does not decode: %v", err)
				}
			}
			if rawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Input-Token-Count") == "" {
				t.Error("no count of the input")
			}
			_, err = client(s).InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &row.model, Body: []byte(row.body)})
			wantCode(t, err, 400, "ValidationException")
		})
	}
}

// Vectors of texts that share words are nearer than those of others, so that a
// search over them can be tested.
func TestEmbeddingsRank(t *testing.T) {
	s := bedrocktest.NewServer(t)
	embed := func(text string) []float64 {
		body, err := json.Marshal(map[string]string{"inputText": text})
		if err != nil {
			t.Fatal(err)
		}
		out, err := client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("amazon.titan-embed-text-v2:0"), Body: body})
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ Embedding []float64 }
		if err := json.Unmarshal(out.Body, &answer); err != nil {
			t.Fatal(err)
		}
		return answer.Embedding
	}
	near := func(a, b []float64) float64 {
		var sum float64
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}
	query := embed("the capital of Japan")
	if own := near(query, query); math.Abs(own-1) > 1e-5 {
		t.Errorf("the length of a vector is %v", own)
	}
	if close, far := near(query, embed("Tokyo is the capital of Japan")), near(query, embed("bread and butter")); close <= far {
		t.Errorf("%v and %v", close, far)
	}
}

func TestInvokeModelRefusesForeignForms(t *testing.T) {
	for _, row := range []struct{ name, model, body, says string }{
		{"a model that is not known", "luma.ray-v2:0", `{"prompt":"x"}`, "ReplyInvoke"},
		{"an application profile that is not named", profileARN, `{"prompt":"x"}`, "AddInferenceProfile"},
		{"Titan's form for Llama", "meta.llama3-8b-instruct-v1:0", `{"inputText":"x"}`, "required key [prompt]"},
		{"a prompt for Nova", "amazon.nova-lite-v1:0", `{"prompt":"x"}`, "required key [messages]"},
		{"messages for Titan", "amazon.titan-text-express-v1", `{"messages":[]}`, "required key [inputText]"},
		{"a number for a text", "meta.llama3-8b-instruct-v1:0", `{"prompt":7}`, "Malformed input request"},
		{"texts without input_type", "cohere.embed-english-v3", `{"texts":["x"]}`, "required key [input_type]"},
		{"a size that no vector has", "amazon.titan-embed-text-v2:0", `{"inputText":"x","dimensions":7}`, "dimensions"},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := bedrocktest.NewServer(t)
			_, err := client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: &row.model, Body: []byte(row.body)})
			wantCode(t, err, 400, "ValidationException")
			contains(t, err.Error(), row.says)
		})
	}
}

// Reasoning and citations go back in the families that have a form for them, and a
// Reply with content that a family has no form for is told.
func TestInvokeModelReasoning(t *testing.T) {
	s := bedrocktest.NewServer(t)
	thought := &types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberReasoningText{
		Value: types.ReasoningTextBlock{Text: aws.String("let me think"), Signature: aws.String("sig")},
	}}
	s.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return bedrocktest.Content(thought,
			&types.ContentBlockMemberReasoningContent{Value: &types.ReasoningContentBlockMemberRedactedContent{Value: []byte("hi")}},
			&types.ContentBlockMemberCitationsContent{Value: types.CitationsContentBlock{
				Content: []types.CitationGeneratedContent{&types.CitationGeneratedContentMemberText{Value: "so it is"}},
				Citations: []types.Citation{{
					Title: aws.String("report"), SourceContent: []types.CitationSourceContent{&types.CitationSourceContentMemberText{Value: "it is so"}},
					Location: &types.CitationLocationMemberDocumentPage{Value: types.DocumentPageLocation{DocumentIndex: aws.Int32(0), Start: aws.Int32(2), End: aws.Int32(3)}},
				}},
			}}), nil
	})
	out, err := client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(model), Body: invokeBody(t, "hi")})
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"content.0.type": `"thinking"`, "content.0.thinking": `"let me think"`, "content.0.signature": `"sig"`,
		"content.1.type": `"redacted_thinking"`, "content.1.data": `"aGk="`,
		"content.2.text": `"so it is"`, "content.2.citations.0.type": `"page_location"`, "content.2.citations.0.start_page_number": "2", "content.2.citations.0.cited_text": `"it is so"`,
	} {
		if got := at(t, out.Body, path); got != want {
			t.Errorf("%s is %s, want %s", path, got, want)
		}
	}
	all := strings.Join(invokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(model), Body: invokeBody(t, "hi")}), "\n")
	for _, part := range []string{"thinking_delta", "signature_delta", "redacted_thinking", "citations_delta"} {
		contains(t, all, part)
	}
	s.Reply(bedrocktest.Script(bedrocktest.Content(thought, &types.ContentBlockMemberText{Value: "yes"})))
	out, err = client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("openai.gpt-oss-20b-1:0"), Body: []byte(`{"messages":[{"role":"user","content":"hi"}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	if got := at(t, out.Body, "choices.0.message.content"); got != `"\u003creasoning\u003elet me think\u003c/reasoning\u003eyes"` {
		t.Error(got)
	}
}

func TestReplyInvoke(t *testing.T) {
	s := bedrocktest.NewServer(t)
	const custom = "luma.ray-v2:0"
	s.ReplyInvoke(func(model string, body []byte) ([]byte, error) {
		switch {
		case model != custom:
			return nil, nil
		case bytes.Contains(body, []byte("fail")):
			return nil, &types.ModelNotReadyException{Message: aws.String("loading")}
		case bytes.Contains(body, []byte("list")):
			return []byte(`[{"n":1},{"n":2},{"n":3}]`), nil
		}
		return []byte(`{"said":"a b c d","usage":{"input_tokens":11,"output_tokens":12}}`), nil
	})
	invoke := func(model, body string) (*bedrockruntime.InvokeModelOutput, error) {
		return client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: &model, Body: []byte(body)})
	}
	out, err := invoke(custom, `{"ask":"x y"}`)
	if err != nil {
		t.Fatal(err)
	}
	if string(out.Body) != `{"said":"a b c d","usage":{"input_tokens":11,"output_tokens":12}}` {
		t.Errorf("%s", out.Body)
	}
	if rawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Input-Token-Count") != "11" || rawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Output-Token-Count") != "12" {
		t.Error("the counts of the body are not in the headers")
	}
	if _, err = invoke(custom, `{"ask":"fail"}`); err == nil {
		t.Fatal("no error")
	}
	wantCode(t, err, 429, "ModelNotReadyException")
	if out, err = invoke(model, string(invokeBody(t, "hello there"))); err != nil {
		t.Fatal(err)
	}
	contains(t, string(out.Body), "hello there")
	for body, want := range map[string][]string{
		`{"ask":"x y"}`:  {`"said":"a b c d"`},
		`{"ask":"list"}`: {`{"n":1}`, `{"n":2}`, `"n":3`},
	} {
		chunks := invokeStream(t, s, &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: aws.String(custom), Body: []byte(body)})
		if len(chunks) != len(want) {
			t.Fatalf("%q", chunks)
		}
		for i := range want {
			contains(t, chunks[i], want[i])
		}
		contains(t, chunks[len(chunks)-1], "amazon-bedrock-invocationMetrics")
	}
	// The guardrail sees every string of a body in a form that is not known.
	out, err = client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{
		ModelId: aws.String(custom), Body: []byte(`{"deep":{"in":["` + badWord + `"]}}`), ContentType: aws.String("application/json"),
		GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"),
	})
	if err != nil {
		t.Fatal(err)
	}
	if string(out.Body) != `{"amazon-bedrock-guardrailAction":"INTERVENED"}` {
		t.Errorf("%s", out.Body)
	}
	s.ReplyInvoke(nil)
	if _, err = invoke(custom, `{"ask":"x y"}`); err == nil {
		t.Error("ReplyInvoke was not removed")
	}
}

// Families have several messages where a Converse has one: two results of tools, two
// texts of a user.
func TestInvokeModelMergesTurns(t *testing.T) {
	s := bedrocktest.NewServer(t)
	var asked *bedrockruntime.ConverseInput
	s.Reply(func(in *bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		asked = in
		return nil, nil
	})
	_, err := client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String("openai.gpt-oss-20b-1:0"), Body: []byte(`{"messages":[
		{"role":"user","content":"one"},{"role":"developer","content":"be brief"},{"role":"user","content":[{"type":"text","text":"two"}]},
		{"role":"assistant","content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]},
		{"role":"tool","tool_call_id":"a","content":"1"},{"role":"tool","tool_call_id":"b","content":"2"}],
		"tools":[{"type":"function","function":{"name":"f"}}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	var turns []string
	for _, m := range asked.Messages {
		turns = append(turns, fmt.Sprint(m.Role, len(m.Content)))
	}
	if fmt.Sprint(turns) != "[user2 assistant2 user2]" || len(asked.System) != 1 {
		t.Errorf("%v, %d system blocks", turns, len(asked.System))
	}
}
