package family

import (
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
)

// novaFamily is the schema messages-v1. It is Converse's except for the settings and
// the counts (https://docs.aws.amazon.com/nova/latest/userguide/complete-request-schema.html).
func novaFamily() *Form {
	return &Form{Read: readNova, Answer: answerNova, Chunks: chunkNova}
}

func readNova(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
	var b struct {
		InferenceConfig struct {
			MaxTokens    *int32   `json:"maxTokens"`
			MaxNewTokens *int32   `json:"max_new_tokens"`
			Temperature  *float32 `json:"temperature"`
			TopP         *float32 `json:"topP"`
			TopPOld      *float32 `json:"top_p"`
			Stop         []string `json:"stopSequences"`
		} `json:"inferenceConfig"`
	}
	if err := readBody(body, &b, "messages"); err != nil {
		return nil, err
	}
	var prompt types.ConverseTokensRequest
	if err := wire.DecodeBody(body, prompt.Deserialize); err != nil {
		return nil, wire.MalformedBody("")
	}
	in.Messages, in.System, in.ToolConfig = prompt.Messages, prompt.System, prompt.ToolConfig
	c := b.InferenceConfig
	if c.MaxTokens == nil {
		c.MaxTokens = c.MaxNewTokens
	}
	if c.TopP == nil {
		c.TopP = c.TopPOld
	}
	inferenceSettings{c.MaxTokens, c.Temperature, c.TopP, c.Stop}.into(in)
	return nil, nil
}

func answerNova(x *Answer, _ Reading) (map[string]any, error) {
	output, err := wire.EncodeBody(&bedrockruntime.ConverseOutput{Output: x.Out.Output})
	if err != nil {
		return nil, err
	}
	var body struct {
		Output json.RawMessage `json:"output"`
	}
	if err := json.Unmarshal(output, &body); err != nil {
		return nil, err
	}
	return map[string]any{"output": body.Output, "stopReason": x.Out.StopReason, "usage": x.novaUsage()}, nil
}

func (x *Answer) novaUsage() map[string]any {
	u := x.Out.Usage
	m := map[string]any{"inputTokens": u.InputTokens, "outputTokens": u.OutputTokens, "totalTokens": u.TotalTokens}
	if u.CacheReadInputTokens != nil {
		m["cacheReadInputTokenCount"] = u.CacheReadInputTokens
	}
	if u.CacheWriteInputTokens != nil {
		m["cacheWriteInputTokenCount"] = u.CacheWriteInputTokens
	}
	return m
}

// chunkNova writes each event of a ConverseStream into a chunk, under the event's
// name.
func chunkNova(x *Answer, _ Reading, content []types.ContentBlock) ([]map[string]any, error) {
	events, err := conversation.Events(x.Out, content, nil)
	if err != nil {
		return nil, err
	}
	var chunks []map[string]any
	for _, event := range events[:len(events)-1] { // without Converse's metadata, which comes last
		name, body, err := wire.EventJSON(event)
		if err != nil {
			return nil, err
		}
		chunks = append(chunks, map[string]any{name: json.RawMessage(body)})
	}
	return append(chunks, map[string]any{"metadata": map[string]any{
		"usage": x.novaUsage(), "metrics": map[string]any{}, "trace": map[string]any{},
	}}), nil
}
