package family_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

const profileARN = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2c3d4e5f6"

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
		{"Anthropic", probe.Model, anthropic, "content.0.text", "stop_reason", "delta.text", `"end_turn"`, true, false, false},
		{"a geographic profile", "eu." + probe.Model, anthropic, "content.0.text", "stop_reason", "delta.text", `"end_turn"`, true, false, false},
		{"a profile's ARN", "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us." + probe.Model, anthropic, "content.0.text", "stop_reason", "delta.text", `"end_turn"`, true, false, false},
		{"a model's ARN", "arn:aws:bedrock:us-east-1::foundation-model/" + probe.Model, anthropic, "content.0.text", "stop_reason", "delta.text", `"end_turn"`, true, false, false},
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
			if got := probe.At(t, out.Body, row.text); got != strconv.Quote(answer) {
				t.Errorf("text %s in %s", got, out.Body)
			}
			if got := probe.At(t, out.Body, row.stop); got != row.word {
				t.Errorf("stop reason %s in %s", got, out.Body)
			}
			if in, n := probe.RawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Input-Token-Count"), probe.RawHeader(out.ResultMetadata, "X-Amzn-Bedrock-Output-Token-Count"); in != "7" || n != "9" {
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
				_, err := probe.Client(s).InvokeModelWithResponseStream(t.Context(), &bedrockruntime.InvokeModelWithResponseStreamInput{ModelId: &row.model, Body: []byte(row.body)})
				probe.WantCode(t, err, 400, "ValidationException")
				return
			}
			chunks := guardedChunks(t, c, row.model, row.body)
			counted()
			var text strings.Builder
			for _, chunk := range chunks {
				if piece := probe.At(t, chunk, row.piece); piece != "" && piece != "null" {
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
			if probe.At(t, last, "amazon-bedrock-invocationMetrics.inputTokenCount") != "7" || probe.At(t, last, "amazon-bedrock-invocationMetrics.outputTokenCount") != "9" || len(chunks) < 3 {
				t.Errorf("the last of %d chunks is %s", len(chunks), last)
			}
		})
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
			_, err := probe.Client(s).InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: &row.model, Body: []byte(row.body)})
			probe.WantCode(t, err, 400, "ValidationException")
			probe.Contains(t, err.Error(), row.says)
		})
	}
}
