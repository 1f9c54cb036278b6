package bedrocktest

import (
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
)

// body is the answer in the shape of the request.
func (x *invocation) body() ([]byte, error) {
	out := map[string]any{}
	if x.anthropic {
		content, err := anthropicContent(contentOf(x.out))
		if err != nil {
			return nil, err
		}
		out["type"], out["role"], out["content"] = "message", "assistant", content
		// Where the guardrail blocked the prompt no model has answered: there is
		// neither a stop reason nor a usage.
		if !x.input.isBlocked() {
			out["id"], out["model"] = "msg_bdrk_"+strings.ReplaceAll(newID(), "-", ""), aws.ToString(x.in.ModelId)
			out["stop_reason"], out["stop_sequence"] = x.stopReason(), stopField(x.stop)
			out["usage"] = x.anthropicUsage(x.out.Usage.OutputTokens)
		}
	} else if isEmbedding(aws.ToString(x.in.ModelId)) {
		out["embedding"], out["inputTextTokenCount"] = []float32{0.25, -0.5, 0.125}, x.out.Usage.InputTokens
	} else {
		out["inputTextTokenCount"] = x.out.Usage.InputTokens
		out["results"] = []any{map[string]any{
			"tokenCount":       x.out.Usage.OutputTokens,
			"outputText":       plainText(contentOf(x.out)),
			"completionReason": x.stopReason(),
		}}
	}
	if err := x.addGuardrail(out); err != nil {
		return nil, err
	}
	return json.Marshal(out)
}

func (e *evaluation) isBlocked() bool { return e != nil && e.blocked }

// stopReason is the answer's in the words of its shape.
func (x *invocation) stopReason() string {
	if x.anthropic {
		// Anthropic's shape has no word for an intervention.
		if x.out.StopReason == types.StopReasonGuardrailIntervened {
			return string(types.StopReasonEndTurn)
		}
		return string(x.out.StopReason)
	}
	switch x.out.StopReason {
	case types.StopReasonMaxTokens:
		return "LENGTH"
	case types.StopReasonGuardrailIntervened, types.StopReasonContentFiltered:
		return "CONTENT_FILTERED"
	}
	return "FINISH"
}

// addGuardrail adds to an answer, or to the last chunk of a streamed one, what
// the guardrail did.
func (x *invocation) addGuardrail(out map[string]any) error {
	if x.guard == nil {
		return nil
	}
	out["amazon-bedrock-guardrailAction"] = "NONE"
	if x.intervened() {
		out["amazon-bedrock-guardrailAction"] = "INTERVENED"
	}
	if !x.trace {
		return nil
	}
	input, err := rawJSON(&x.input.assessment)
	if err != nil {
		return err
	}
	trace := map[string]any{
		"actionReason": x.reason(),
		"input":        map[string]any{x.guard.ID: input},
	}
	if x.answer != nil {
		answer, err := rawJSON(&x.answer.assessment)
		if err != nil {
			return err
		}
		trace["outputs"] = []any{map[string]any{x.guard.ID: answer}}
		trace["modelOutput"] = x.modelText
	}
	out["amazon-bedrock-trace"] = map[string]any{"guardrail": trace}
	return nil
}

// rawJSON is the wire's JSON for a value of the SDK.
func rawJSON(v smithy.Serializable) (json.RawMessage, error) {
	_, body, err := encode(v)
	return body, err
}

func anthropicContent(content []types.ContentBlock) ([]any, error) {
	out := []any{}
	for _, block := range content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			out = append(out, map[string]any{"type": "text", "text": b.Value})
		case *types.ContentBlockMemberToolUse:
			input, err := toolInput(b.Value)
			if err != nil {
				return nil, err
			}
			out = append(out, map[string]any{"type": "tool_use", "id": b.Value.ToolUseId, "name": b.Value.Name, "input": json.RawMessage(input)})
		}
	}
	return out, nil
}

func plainText(content []types.ContentBlock) string {
	var parts []string
	for _, text := range messageTexts(content, textAny) {
		parts = append(parts, *text)
	}
	return strings.Join(parts, "\n")
}
