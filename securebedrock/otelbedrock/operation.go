package otelbedrock

import (
	"strings"

	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// operationName is the convention's name of an SDK operation. InvokeModel takes
// every model's own body, which is not read here: it is generate_content, of
// which the conventions say "multimodal", but for models that say in their ID
// that they embed. The last five have no well-known name; the conventions admit
// own ones.
func operationName(operation, model string) string {
	switch operation {
	case "Converse", "ConverseStream":
		return semconv.GenAIOperationNameChat.Value.AsString()
	case "InvokeModel", "InvokeModelWithResponseStream":
		if strings.Contains(model, "embed") {
			return semconv.GenAIOperationNameEmbeddings.Value.AsString()
		}
		return semconv.GenAIOperationNameGenerateContent.Value.AsString()
	case "InvokeModelWithBidirectionalStream":
		return semconv.GenAIOperationNameGenerateContent.Value.AsString()
	case "StartAsyncInvoke":
		return "start_async_invoke"
	case "GetAsyncInvoke":
		return "get_async_invoke"
	case "ListAsyncInvokes":
		return "list_async_invokes"
	case "ApplyGuardrail":
		return "apply_guardrail"
	case "InvokeGuardrailChecks":
		return "invoke_guardrail_checks"
	case opCountTokens:
		return nameCountTokens
	}
	return "other"
}

const (
	opCountTokens   = "CountTokens"
	nameCountTokens = "count_tokens"
)

func streams(operation string) bool {
	switch operation {
	case "ConverseStream", "InvokeModelWithResponseStream", "InvokeModelWithBidirectionalStream":
		return true
	}
	return false
}

// parsedModel is empty for what is no model identifier: it may be a text that was
// put into the wrong field.
func parsedModel(call *securebedrock.Call) string {
	if call.Model.Kind == "" {
		return ""
	}
	return call.Model.ID
}
