package wire

import "testing"

func TestUnserved(t *testing.T) {
	for _, row := range []struct{ method, path, name string }{
		{"POST", "/openai/v1/chat/completions", "OpenAI's Chat Completions"},
		{"POST", "/openai/v1/responses", "OpenAI's Responses"},
		{"GET", "/openai/v1/responses/resp_1", "OpenAI's Responses"},
		{"POST", "/v1/responses", "OpenAI's Responses"},
		{"POST", "/v1/chat/completions", "OpenAI's Chat Completions"},
		{"POST", "//v1//chat/completions", "OpenAI's Chat Completions"},
		{"POST", "/anthropic/v1/messages", "Anthropic's Messages"},
		{"POST", "/anthropic/v1/messages/count_tokens", "Anthropic's Messages"},
		{"POST", "/v1/messages", "Anthropic's Messages"},
		{"POST", "/V1/Messages/", "Anthropic's Messages"},
		{"POST", "/v1%2Fmessages", "Anthropic's Messages"},
		{"POST", "/v1/completions", "OpenAI's Completions"},
		{"GET", "/v1/models", "OpenAI's or Anthropic's API"},
		{"GET", "/openai/v1/models", "OpenAI's API"},
		{"POST", "/openai/deployments/x", "OpenAI's API"},
		{"POST", "/anthropic/v1/complete", "Anthropic's API"},
		{"POST", "/v10/messages", ""},
		{"POST", "/model/v1/converse", ""},
		{"POST", "/", ""},
		{"POST", "", ""},
		{"POST", "/%zz", ""},
		{"CONNECT", "/v1/messages", ""},
	} {
		if name, ok := Unserved(row.method, row.path); name != row.name || ok != (row.name != "") {
			t.Errorf("%s %s: %q, %v", row.method, row.path, name, ok)
		}
	}
}

// An operation of the SDK is never taken for another API.
func TestUnservedIsNoOperation(t *testing.T) {
	for _, op := range Operations() {
		if name, ok := Unserved(op.Method, op.Path); ok {
			t.Errorf("%s is %s", op.Name, name)
		}
	}
}
