package family

import (
	"encoding/json"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
)

// commandR is the form of model-parameters-cohere-command-r-plus. Its tool calls have
// no IDs, so a call's place in the conversation serves as one.
func commandR() *Form {
	return &Form{Read: readCommandR, Answer: answerCommandR, Chunks: chunkCommandR}
}

type commandRCall struct {
	Name       string          `json:"name"`
	Parameters json.RawMessage `json:"parameters"`
}

type commandRRequest struct {
	Message     string `json:"message"`
	Preamble    string `json:"preamble"`
	ChatHistory []struct {
		Role    string `json:"role"`
		Message string `json:"message"`
	} `json:"chat_history"`
	MaxTokens   *int32   `json:"max_tokens"`
	Temperature *float32 `json:"temperature"`
	P           *float32 `json:"p"`
	Stop        []string `json:"stop_sequences"`
	Tools       []struct {
		Name        string `json:"name"`
		Description string `json:"description"`
		Parameters  map[string]struct {
			Description string `json:"description,omitempty"`
			Type        string `json:"type"`
			Required    bool   `json:"required,omitempty"`
		} `json:"parameter_definitions"`
	} `json:"tools"`
	ToolResults []struct {
		Call    commandRCall      `json:"call"`
		Outputs []json.RawMessage `json:"outputs"`
	} `json:"tool_results"`
}

func readCommandR(body []byte, in *bedrockruntime.ConverseInput) (Reading, error) {
	var b commandRRequest
	if err := readBody(body, &b, "message"); err != nil {
		return nil, err
	}
	inferenceSettings{b.MaxTokens, b.Temperature, b.P, b.Stop}.into(in)
	if b.Preamble != "" {
		in.System = append(in.System, &types.SystemContentBlockMemberText{Value: b.Preamble})
	}
	for _, turn := range b.ChatHistory {
		role := types.ConversationRoleUser
		switch turn.Role {
		case "CHATBOT":
			role = types.ConversationRoleAssistant
		case "SYSTEM":
			in.System = append(in.System, &types.SystemContentBlockMemberText{Value: turn.Message})
			continue
		}
		addMessage(in, role, textBlock(turn.Message))
	}
	addMessage(in, types.ConversationRoleUser, textBlock(b.Message))
	var calls, results []types.ContentBlock
	for i, r := range b.ToolResults {
		id := "call_" + strconv.Itoa(i)
		calls = append(calls, toolUse(id, r.Call.Name, r.Call.Parameters))
		var content []types.ToolResultContentBlock
		for _, output := range r.Outputs {
			content = append(content, &types.ToolResultContentBlockMemberJson{Value: conversation.RawDocument(output)})
		}
		results = append(results, toolResult(id, content, false))
	}
	if calls != nil {
		addMessage(in, types.ConversationRoleAssistant, calls...)
		addMessage(in, types.ConversationRoleUser, results...)
	}
	var tools []types.Tool
	for _, t := range b.Tools {
		properties, required := map[string]any{}, []string{}
		for name, p := range t.Parameters {
			properties[name] = map[string]any{"type": p.Type, "description": p.Description}
			if p.Required {
				required = append(required, name)
			}
		}
		schema, err := json.Marshal(map[string]any{"type": "object", "properties": properties, "required": required})
		if err != nil {
			return nil, err
		}
		tools = append(tools, toolSpec(t.Name, t.Description, schema))
	}
	addTools(in, tools, nil)
	return &b, nil
}

func (x *Answer) commandRStop() string {
	return x.stopWord("COMPLETE", "MAX_TOKENS", "ERROR_TOXIC")
}

func commandRParts(x *Answer, content []types.ContentBlock) (string, []map[string]any, error) {
	a, err := readAnswer(x, content)
	if err != nil {
		return "", nil, err
	}
	var calls []map[string]any
	for i, call := range a.calls {
		calls = append(calls, map[string]any{
			"name": call["function"].(map[string]any)["name"], "parameters": json.RawMessage(a.arguments[i]),
		})
	}
	return a.text, calls, nil
}

func commandRBody(x *Answer, r Reading, text string, calls []map[string]any) map[string]any {
	history := []any{}
	if b, ok := r.(*commandRRequest); ok {
		for _, turn := range b.ChatHistory {
			history = append(history, map[string]any{"role": turn.Role, "message": turn.Message})
		}
		history = append(history, map[string]any{"role": "USER", "message": b.Message})
	}
	out := map[string]any{
		"response_id": ids.New(), "generation_id": ids.New(), "text": text, "finish_reason": x.commandRStop(),
		"chat_history": append(history, map[string]any{"role": "CHATBOT", "message": text}),
		"meta": map[string]any{
			"api_version":  map[string]any{"version": "1"},
			"billed_units": map[string]any{"input_tokens": x.Out.Usage.InputTokens, "output_tokens": x.Out.Usage.OutputTokens},
		},
	}
	if calls != nil {
		out["tool_calls"] = calls
	}
	return out
}

func answerCommandR(x *Answer, r Reading) (map[string]any, error) {
	text, calls, err := commandRParts(x, conversation.Content(x.Out))
	if err != nil {
		return nil, err
	}
	return commandRBody(x, r, text, calls), nil
}

func chunkCommandR(x *Answer, r Reading, content []types.ContentBlock) ([]map[string]any, error) {
	text, calls, err := commandRParts(x, content)
	if err != nil {
		return nil, err
	}
	var chunks []map[string]any
	for _, piece := range conversation.Split(text, conversation.WordsPerDelta) {
		chunks = append(chunks, map[string]any{"is_finished": false, "event_type": "text-generation", "text": piece})
	}
	if calls != nil {
		chunks = append(chunks, map[string]any{"is_finished": false, "event_type": "tool-calls-generation", "tool_calls": calls})
	}
	return append(chunks, map[string]any{
		"is_finished": true, "event_type": "stream-end", "finish_reason": x.commandRStop(), "response": commandRBody(x, r, text, calls),
	}), nil
}
