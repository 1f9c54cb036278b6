package shapes_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

// rawAnswer sends a body that no SDK would, signed, and returns the answer.
func rawAnswer(t *testing.T, s *bedrocktest.Server, method, path, body string) (int, http.Header, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, s.URL()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	probe.Sign(t, s, r, []byte(body), "bedrock", time.Now())
	resp, err := s.Config().HTTPClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := io.ReadAll(resp.Body)
	if err := errors.Join(err, resp.Body.Close()); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header, string(answer)
}

// What an SDK refuses by itself, another client can send.
func TestRawRequestsAreHeldToTheModel(t *testing.T) {
	const path = "/model/anthropic.claude-3-haiku-20240307-v1%3A0"
	s := bedrocktest.NewServer(t)
	for _, row := range []struct{ name, method, path, body, code, says string }{
		{"a message without a role", "POST", path + "/converse", `{"messages":[{"content":[{"text":"` + probe.Secret + `"}]}]}`, "ValidationException", "Value at 'messages.1.member.role' failed to satisfy constraint: Member must not be null"},
		{"a message without content", "POST", path + "/converse", `{"messages":[{"role":"user"}]}`, "ValidationException", "'messages.1.member.content'"},
		{"a block with two members", "POST", path + "/converse", `{"messages":[{"role":"user","content":[{"text":"` + probe.Secret + `","cachePoint":{"type":"default"}}]}]}`, "SerializationException", "more than one"},
		{"a block with none", "POST", path + "/converse-stream", `{"messages":[{"role":"user","content":[{}]}]}`, "ValidationException", "exactly one of these keys"},
		{"a block that is not known", "POST", path + "/converse", `{"messages":[{"role":"user","content":[{"txt":"` + probe.Secret + `"}]}]}`, "ValidationException", "exactly one of these keys"},
		{"a tool choice with two members", "POST", path + "/converse", `{"messages":[{"role":"user","content":[{"text":"x"}]}],"toolConfig":{"tools":[{"toolSpec":{"name":"t","inputSchema":{"json":{"type":"object"}}}}],"toolChoice":{}}}`, "ValidationException", "exactly one of these keys: [any, auto, tool]"},
		{"a body that is no JSON", "POST", path + "/converse", `{"messages":`, "SerializationException", ""},
		{"a number that is a word", "POST", path + "/converse", `{"messages":[{"role":"user","content":[{"text":"x"}]}],"inferenceConfig":{"maxTokens":"many"}}`, "SerializationException", ""},
		{"a text for a list", "POST", path + "/converse", `{"messages":"` + probe.Secret + `"}`, "SerializationException", ""},
		{"a text for a number", "POST", path + "/converse", `{"messages":[{"role":"user","content":[{"text":"x"}]}],"inferenceConfig":{"temperature":"` + probe.Secret + `"}}`, "SerializationException", ""},
		{"bytes that are no base64", "POST", path + "/converse", `{"messages":[{"role":"user","content":[{"image":{"format":"png","source":{"bytes":"` + probe.Secret + `!"}}}]}]}`, "SerializationException", ""},
		{"words for a query's number", "GET", "/async-invoke?maxResults=" + probe.Secret, "", "SerializationException", ""},
		{"a day that is none", "GET", "/async-invoke?submitTimeAfter=" + probe.Secret, "", "SerializationException", ""},
		{"a temperature that is none", "POST", path + "/converse", `{"messages":[{"role":"user","content":[{"text":"x"}]}],"inferenceConfig":{"temperature":"NaN"}}`, "ValidationException", "'inferenceConfig.temperature'"},
		{"a blank model", "POST", "/model/%20/converse", `{"messages":[{"role":"user","content":[{"text":"x"}]}]}`, "ValidationException", ""},
		{"a blank model of a body", "POST", "/model/%20/invoke", `{"prompt":"x"}`, "ValidationException", ""},
		{"a blank model of a count", "POST", "/model/%20/count-tokens", `{"input":{"converse":{"messages":[{"role":"user","content":[{"text":"x"}]}]}}}`, "ValidationException", ""},
		{"a blank model of an asynchronous invocation", "POST", "/async-invoke", `{"modelId":" ","modelInput":{},"outputDataConfig":{"s3OutputDataConfig":{"s3Uri":"s3://bucket/x"}}}`, "ValidationException", ""},
		{"an asynchronous invocation without an output", "POST", "/async-invoke", `{"modelId":"amazon.nova-reel-v1:0","modelInput":{}}`, "ValidationException", "'outputDataConfig'"},
		{"an asynchronous invocation without an input", "POST", "/async-invoke", `{"modelId":"amazon.nova-reel-v1:0","outputDataConfig":{"s3OutputDataConfig":{"s3Uri":"s3://bucket/x"}}}`, "ValidationException", "'modelInput'"},
		{"an empty body", "POST", path + "/invoke", ``, "ValidationException", "Malformed input request"},
		{"a list for a body", "POST", path + "/invoke", `[1]`, "ValidationException", "Malformed input request"},
		{"an evaluation of nothing", "POST", "/guardrail/" + bedrocktest.DefaultGuardrailID + "/version/1/apply", `{"content":[{"text":{"text":"x"}}]}`, "ValidationException", "Value at 'source' failed to satisfy constraint: Member must not be null"},
		{"an evaluation of another source", "POST", "/guardrail/" + bedrocktest.DefaultGuardrailID + "/version/1/apply", `{"source":"BOTH","content":[{"text":{"text":"x"}}]}`, "ValidationException", "enum value set: [INPUT, OUTPUT]"},
		{"a guardrail's version that is none", "POST", "/guardrail/" + bedrocktest.DefaultGuardrailID + "/version/v1/apply", `{"source":"INPUT","content":[{"text":{"text":"x"}}]}`, "ValidationException", "'guardrailVersion'"},
		{"checks of nothing", "POST", "/guardrail-checks/invoke", `{"messages":[{"role":"user","content":[{"text":"x"}]}],"checks":{"promptAttack":{"categories":[]}}}`, "ValidationException", "'checks.promptAttack.categories'"},
		{"a count of nothing", "POST", path + "/count-tokens", `{}`, "ValidationException", "Value at 'input'"},
		{"an invocation without a model", "POST", "/async-invoke", `{"modelInput":{},"outputDataConfig":{"s3OutputDataConfig":{"s3Uri":"s3://bucket/x"}}}`, "ValidationException", "'modelId'"},
		{"no results a page", "GET", "/async-invoke?maxResults=0", "", "ValidationException", "'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		{"1001 results a page", "GET", "/async-invoke?maxResults=1001", "", "ValidationException", "'maxResults' failed to satisfy constraint: Member must have value less than or equal to 1000"},
		{"a status that is none", "GET", "/async-invoke?statusEquals=Done", "", "ValidationException", "'statusEquals'"},
		{"an order that is none", "GET", "/async-invoke?sortOrder=Random", "", "ValidationException", "'sortOrder'"},
		{"an invocation that is none", "GET", "/async-invoke/mine", "", "ValidationException", "'invocationArn'"},
	} {
		status, header, answer := rawAnswer(t, s, row.method, row.path, row.body)
		code, _, _ := strings.Cut(header.Get("X-Amzn-Errortype"), ":")
		if status != http.StatusBadRequest || code != row.code || !strings.Contains(answer, row.says) || strings.Contains(answer, probe.Secret) {
			t.Errorf("%s: %d %s %s", row.name, status, code, answer)
		}
	}
}
