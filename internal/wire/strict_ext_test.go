package wire_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

const secret = "no-such-value" // stands in every refused request, and in no refusal

// refusedWith checks that an error is a refusal that says want and repeats no value.
func refusedWith(t *testing.T, name string, err error, code, want string) {
	t.Helper()
	var refusal *wire.Error
	if !errors.As(err, &refusal) {
		t.Errorf("%s: %v", name, err)
		return
	}
	if refusal.Status != http.StatusBadRequest || refusal.Code != code || !strings.Contains(refusal.Message, want) {
		t.Errorf("%s: %d %v, want %s with %q", name, refusal.Status, err, code, want)
	}
	if strings.Contains(refusal.Message, secret) {
		t.Errorf("%s: the refusal repeats a value: %v", name, err)
	}
}

const converse, stream, countTokens, apply, checks, async = "/model/m/converse", "/model/m/converse-stream", "/model/m/count-tokens",
	"/guardrail/g/version/1/apply", "/guardrail-checks/invoke", "/async-invoke"

func post(path, body string) sentRequest {
	return sentRequest{method: "POST", path: path, header: http.Header{"Content-Type": {"application/json"}}, body: []byte(body)}
}

// What the SDK's types do not know is refused with the path of the member.
func TestStrictBodies(t *testing.T) {
	const invalid, syntax = "ValidationException", "SerializationException"
	text := func(s string) string { return `{"messages":[{"role":"user","content":[` + s + `]}]}` }
	for _, row := range []struct{ name, path, body, code, want string }{
		{"an unknown member", converse, `{"guardrails":"no-such-value"}`, invalid, "guardrails is no member"},
		{"a member of another case", converse, `{"Messages":[],"x":"no-such-value"}`, invalid, "Messages is no member"},
		{"an unknown member of a message", converse, `{"messages":[{"role":"user"},{"role":"user","name":"no-such-value"}]}`, invalid, "messages[1].name is no member"},
		{"an unknown member of a block", converse, text(`{"text":"no-such-value"},{"guardContents":{}}`), invalid, "messages[0].content[1].guardContents is no member"},
		{"an unknown member of a nested structure", converse, text(`{"toolResult":{"toolUseId":"t","content":[{"text":"no-such-value"}],"isError":true}}`), invalid, "messages[0].content[0].toolResult.isError is no member"},
		{"an unknown member of a guardrail", converse, `{"guardrailConfig":{"guardrailIdentifier":"no-such-value","mode":1}}`, invalid, "guardrailConfig.mode is no member"},
		{"a Converse's stream processing mode", converse, `{"guardrailConfig":{"streamProcessingMode":"async"}}`, invalid, "guardrailConfig.streamProcessingMode is no member"},
		{"a model's own parameter", converse, `{"anthropicBeta":["no-such-value"]}`, invalid, "anthropicBeta is no member of the API's body that this release knows: remove the member, or set a parameter of the model's own, such as top_k or anthropic_beta, in additionalModelRequestFields"},
		{"a model's own parameter for inference", converse, `{"inferenceConfig":{"topK":7}}`, invalid, "inferenceConfig.topK is no member of the API's body that this release knows: remove the member, or set"},
		{"a name that is a text", converse, `{"the patient's name is no-such-value":1}`, invalid, "(no identifier) is no member"},
		{"a long name", converse, `{"` + strings.Repeat("a", 300) + `":1}`, invalid, "(no identifier) is no member"},
		{"a label in the body", converse, `{"modelId":"no-such-value"}`, invalid, "modelId is no member"},
		{"a label in the body, escaped", converse, `{"model\u0049d":"no-such-value"}`, invalid, "modelId is no member"},
		{"a guardrail's label in the body", apply, `{"guardrailIdentifier":"no-such-value"}`, invalid, "guardrailIdentifier is no member"},
		{"the model's label in a count", countTokens, `{"modelId":"no-such-value","input":{"converse":{}}}`, invalid, "modelId is no member"},
		{"an unknown member of checks", checks, `{"checks":{"topics":"no-such-value"}}`, invalid, "checks.topics is no member"},
		{"an unknown member of an async call", async, `{"guardrailConfig":"no-such-value"}`, invalid, "guardrailConfig is no member"},
		{"an unknown member of a tag", async, `{"tags":[{"key":"no-such-value","val":1}]}`, invalid, "tags[0].val is no member"},

		{"a member twice", converse, `{"messages":[],"system":[],"messages":["no-such-value"]}`, invalid, "messages stands twice"},
		{"a member twice, escaped once", converse, `{"messages":[],"\u006dessages":["no-such-value"]}`, invalid, "messages stands twice"},
		{"a nested member twice", converse, `{"guardrailConfig":{"trace":"enabled","trace":"no-such-value"}}`, invalid, "guardrailConfig.trace stands twice"},
		{"a block's member twice", converse, text(`{"text":"a","text":"no-such-value"}`), invalid, "messages[0].content[0].text stands twice"},
		{"a map's key twice", converse, `{"requestMetadata":{"team":"a","team":"no-such-value"}}`, invalid, `requestMetadata["team"] stands twice`},
		{"a map's key twice, escaped once", converse, `{"requestMetadata":{"team":"a","t\u0065am":"no-such-value"}}`, invalid, `requestMetadata["team"] stands twice`},
		{"a document's key twice", converse, `{"additionalModelRequestFields":{"a":1,"b":[{"c":1,"c":"no-such-value"}]}}`, invalid, "additionalModelRequestFields has a key of an object twice"},
		{"a document's key twice, escaped once", converse, `{"additionalModelRequestFields":{"max_tokens":1,"max\u005ftokens":"no-such-value"}}`, invalid, "additionalModelRequestFields has a key"},
		{"a tool's key twice", converse, text(`{"toolUse":{"toolUseId":"t","name":"n","input":{"x":{"a":1,"a":"no-such-value"}}}}`), invalid, "messages[0].content[0].toolUse.input has a key"},
		{"a schema's key twice", converse, `{"toolConfig":{"tools":[{"toolSpec":{"name":"n","inputSchema":{"json":{"type":"a","type":"no-such-value"}}}}]}}`, invalid, "toolConfig.tools[0].toolSpec.inputSchema.json has a key"},
		{"a key twice among many", async, `{"modelInput":{` + manyKeys(40) + `"k7":"no-such-value"}}`, invalid, "modelInput has a key"},

		{"a union with no member", converse, text(`{}`), invalid, "messages[0].content[0] has no member"},
		{"a union with two members", converse, text(`{"text":"no-such-value","guardContent":{"text":{"text":"x"}}}`), invalid, "messages[0].content[0] has two members, text and guardContent"},
		{"a union with an unknown member", converse, text(`{"prompt":"no-such-value"}`), invalid, "messages[0].content[0].prompt is no member"},
		{"a union with a member of the service's", converse, text(`{"text":"a","__type":"no-such-value"}`), invalid, "messages[0].content[0].__type is no member"},
		{"a system block with two members", converse, `{"system":[{"text":"no-such-value","cachePoint":{"type":"default"}}]}`, invalid, "system[0] has two members"},
		{"a count of two inputs", countTokens, `{"input":{"converse":{},"invokeModel":{"body":"eA=="}}}`, invalid, "input has two members"},
		{"a count of nothing", countTokens, `{"input":{}}`, invalid, "input has no member"},
		{"a guardrail's block with two members", apply, `{"content":[{"text":{"text":"no-such-value"},"image":{}}]}`, invalid, "content[0] has two members"},
		{"a prompt variable with two members", converse, `{"promptVariables":{"v":{"text":"a","text":"no-such-value"}}}`, invalid, `promptVariables["v"].text stands twice`},

		{"an unknown member after a null", converse, `{"messages":null,"x":"no-such-value"}`, invalid, "x is no member"},
		{"an unknown member that is null", converse, `{"system":[],"no_such":null}`, invalid, "no_such is no member"},
		{"a member that is null, and again is not", stream, `{"guardrailConfig":null,"guardrailConfig":{"trace":"no-such-value"}}`, invalid, "guardrailConfig stands twice"},
		{"a member that is not null, and again is", stream, `{"guardrailConfig":{"trace":"enabled"},"guardrailConfig":null}`, invalid, "guardrailConfig stands twice"},
		{"a word that begins as null does", converse, `{"messages":nil}`, syntax, "messages is not valid JSON"},
		{"a word that is longer than null", converse, `{"messages":nulls}`, syntax, "is not valid JSON"},
		{"null in a list", converse, `{"messages":[null]}`, invalid, "messages[0] is null"},
		{"null in a list of blocks", converse, text(`{"text":"no-such-value"},null`), invalid, "messages[0].content[1] is null"},
		{"null in a list of strings", converse, `{"inferenceConfig":{"stopSequences":["no-such-value",null]}}`, invalid, "inferenceConfig.stopSequences[1] is null"},
		{"null in a map", converse, `{"requestMetadata":{"team":null}}`, invalid, `requestMetadata["team"] is null`},
		{"a union whose one member is null", converse, text(`{"text":null}`), invalid, "messages[0].content[0] has no member"},
		{"a union whose members are null", converse, text(`{"text":null,"image":null}`), invalid, "messages[0].content[0] has no member"},
		{"a union's member that is null, and again is not", converse, text(`{"text":null,"text":"no-such-value"}`), invalid, "messages[0].content[0].text stands twice"},
		{"a union's member that is not null, and again is", converse, text(`{"text":"no-such-value","image":null,"text":null}`), invalid, "messages[0].content[0].text stands twice"},
		{"a union with two members and a null", converse, text(`{"image":null,"text":"no-such-value","document":null,"guardContent":{"text":{"text":"x"}}}`), invalid, "messages[0].content[0] has two members, text and guardContent"},
		{"a union with an unknown null", converse, text(`{"text":"a","thought":null}`), invalid, "messages[0].content[0].thought is no member"},
		{"an empty enum", converse, `{"messages":[{"role":""}]}`, invalid, "messages[0].role is empty"},

		{"a string for a list", converse, `{"messages":"no-such-value"}`, syntax, "messages is not an array"},
		{"a list for a structure", converse, `{"inferenceConfig":["no-such-value"]}`, syntax, "inferenceConfig is not an object"},
		{"a structure for a string", converse, text(`{"text":{"a":"no-such-value"}}`), syntax, "messages[0].content[0].text is not a string"},
		{"a number for a string", converse, text(`{"text":7}`), syntax, "text is not a string"},
		{"a string for a number", converse, `{"inferenceConfig":{"maxTokens":"7"}}`, syntax, "inferenceConfig.maxTokens is not a number"},
		{"a string for a float", converse, `{"inferenceConfig":{"topP":"nan"}}`, syntax, "inferenceConfig.topP is not a number"},
		{"a float for an integer", converse, `{"inferenceConfig":{"maxTokens":7.0}}`, syntax, "inferenceConfig.maxTokens is not an integer of 32 bits"},
		{"an exponent for an integer", converse, `{"inferenceConfig":{"maxTokens":1e2}}`, syntax, "maxTokens is not an integer"},
		{"an integer out of range", converse, `{"inferenceConfig":{"maxTokens":2147483648}}`, syntax, "inferenceConfig.maxTokens is not an integer of 32 bits"},
		{"an integer below the range", converse, `{"inferenceConfig":{"maxTokens":-2147483649}}`, syntax, "maxTokens is not an integer"},
		{"a float out of range", converse, `{"inferenceConfig":{"temperature":1e39}}`, syntax, "inferenceConfig.temperature is not a floating-point number of 32 bits"},
		{"a word for a bool", converse, `{"toolConfig":{"tools":[{"toolSpec":{"strict":"true"}}]}}`, syntax, "strict is not true or false"},
		{"no base64", converse, text(`{"image":{"format":"png","source":{"bytes":"no-such-value"}}}`), syntax, "source.bytes is not base64"},
		{"base64 with a line end", converse, text(`{"image":{"format":"png","source":{"bytes":"eHh4\neHh4"}}}`), syntax, "bytes is not base64"},
		{"base64 without its end", converse, text(`{"image":{"format":"png","source":{"bytes":"eA"}}}`), syntax, "bytes is not base64"},
		{"base64 with bits left", converse, text(`{"image":{"format":"png","source":{"bytes":"eB=="}}}`), syntax, "bytes is not base64"},
		{"base64 of a URL", countTokens, `{"input":{"invokeModel":{"body":"_-8="}}}`, syntax, "input.invokeModel.body is not base64"},

		{"nothing", converse, ``, syntax, "the body is empty"},
		{"white space", converse, " \n", syntax, "the body is empty"},
		{"null", converse, `null`, syntax, "the body is not a JSON object"},
		{"a list", converse, `["no-such-value"]`, syntax, "the body is not a JSON object"},
		{"a string", converse, `"no-such-value"`, syntax, "the body is not a JSON object"},
		{"a byte order mark", converse, "\xef\xbb\xbf{}", syntax, "byte order mark"},
		{"UTF-16", converse, "\xfe\xff\x00{\x00}", syntax, "the body is not valid UTF-8"},
		{"invalid UTF-8 in a text", converse, text("{\"text\":\"no-such-value\xff\"}"), syntax, "the body is not valid UTF-8"},
		{"an overlong form", converse, text("{\"text\":\"\xc0\xaf\"}"), syntax, "the body is not valid UTF-8"},
		{"a surrogate in UTF-8", converse, text("{\"text\":\"\xed\xa0\x80\"}"), syntax, "the body is not valid UTF-8"},
		{"half of a surrogate pair", converse, text(`{"text":"no-such-value\ud83d"}`), syntax, "text has half of a surrogate pair"},
		{"the other half", converse, text(`{"text":"\ude00\ud83d"}`), syntax, "text has half of a surrogate pair"},
		{"half of a surrogate pair in a key", converse, `{"requestMetadata":{"\ud83d":"no-such-value"}}`, syntax, "half of a surrogate pair"},
		{"half of a surrogate pair in a document", async, `{"modelInput":{"a":["\ud83d\u0041"]}}`, invalid, "modelInput has half of a surrogate pair"},
		{"a second object", converse, `{"messages":[]}{"messages":["no-such-value"]}`, syntax, "goes on after the JSON object"},
		{"trailing bytes", converse, `{"messages":[]},`, syntax, "goes on after the JSON object"},
		{"a trailing NUL", converse, "{}\x00", syntax, "goes on after the JSON object"},
		{"a trailing brace", converse, `{}}`, syntax, "goes on after the JSON object"},
		{"a cut object", converse, `{"messages":[]`, syntax, "is not valid JSON"},
		{"a cut string", converse, text(`{"text":"no-such-value`)[:50], syntax, "is not valid JSON"},
		{"a comma too many", converse, `{"messages":[],}`, syntax, "is not valid JSON"},
		{"a comma before the first", converse, `{,"messages":[]}`, syntax, "is not valid JSON"},
		{"a comma in an empty list", converse, `{"messages":[,]}`, syntax, "messages[0] is not an object"},
		{"a list's comma too many", converse, `{"messages":[{},]}`, syntax, "messages[1] is not an object"},
		{"no comma", converse, `{"messages":[] "system":[]}`, syntax, "is not valid JSON"},
		{"no colon", converse, `{"messages" []}`, syntax, "is not valid JSON"},
		{"a comment", converse, `{"messages":[]/*no-such-value*/}`, syntax, "is not valid JSON"},
		{"a name without quotes", converse, `{messages:[]}`, syntax, "is not valid JSON"},
		{"another white space", converse, "{\u00a0\"messages\":[]}", syntax, "is not valid JSON"},
		{"a form feed", converse, "{\f\"messages\":[]}", syntax, "is not valid JSON"},
		{"a control character in a text", converse, text("{\"text\":\"no-such-value\x01\"}"), syntax, "text is not valid JSON"},
		{"a line end in a text", converse, text("{\"text\":\"no-such-value\n\"}"), syntax, "text is not valid JSON"},
		{"an unknown escape", converse, text(`{"text":"no-such-value\x41"}`), syntax, "text is not valid JSON"},
		{"a short escape", converse, text(`{"text":"\u41"}`), syntax, "text is not valid JSON"},
		{"a leading zero", converse, `{"inferenceConfig":{"maxTokens":07}}`, syntax, "is not valid JSON"},
		{"a plus", converse, `{"inferenceConfig":{"maxTokens":+7}}`, syntax, "maxTokens is not a number"},
		{"a hexadecimal number", converse, `{"inferenceConfig":{"maxTokens":0x7}}`, syntax, "is not valid JSON"},
		{"a bare point", converse, `{"inferenceConfig":{"topP":.5}}`, syntax, "topP is not a number"},
		{"NaN in a document", async, `{"modelInput":{"a":NaN}}`, syntax, "modelInput is not valid JSON"},
		{"a cut document", async, `{"modelInput":{"a":[1,2}`, syntax, "modelInput is not valid JSON"},
		{"a comma too many in a document", async, `{"modelInput":{"a":[1,]}}`, syntax, "modelInput is not valid JSON"},
		{"a cut number in a document", async, `{"modelInput":{"a":1.}}`, syntax, "modelInput is not valid JSON"},
		{"a document without an end", async, `{"modelInput":`, syntax, "modelInput is not valid JSON"},
		{"a deep document", async, `{"modelInput":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`, invalid, "modelInput nests too deep"},
		{"a million open lists", async, `{"modelInput":` + strings.Repeat("[", 1<<20), invalid, "modelInput nests too deep"},
		{"a million open objects", async, `{"modelInput":` + strings.Repeat(`{"a":`, 1<<18), invalid, "modelInput nests too deep"},
	} {
		_, err := decodeStrict(post(row.path, row.body))
		refusedWith(t, row.name, err, row.code, row.want)
	}
}

// A member that is null is one that is left out: programs that write their JSON
// themselves have nulls for what is not set.
func TestNullIsLeftOut(t *testing.T) {
	for _, row := range []struct{ path, body, without string }{
		{converse, `{"toolConfig":null,"messages":[],"system":null}`, `{"messages":[]}`},
		{converse, `{"messages":null}`, `{}`},
		{stream, `{"guardrailConfig":null}`, `{}`},
		{converse, `{"guardrailConfig":{"guardrailIdentifier":"a","trace": null }}`, `{"guardrailConfig":{"guardrailIdentifier":"a"}}`},
		{converse, `{"inferenceConfig":{"maxTokens":null,"topP":0.5,"temperature":null,"stopSequences":null}}`, `{"inferenceConfig":{"topP":0.5}}`},
		{converse, `{"additionalModelRequestFields":null,"additionalModelResponseFieldPaths":null,"requestMetadata":null}`, `{}`},
		{converse, `{"additionalModelRequestFields":{"a":null}}`, `{"additionalModelRequestFields":{"a":null}}`},
		{converse, `{"messages":[{"role":"user","content":[{"image":null,"text":"hi","toolUse":null},{"text":"there"}]}]}`, `{"messages":[{"role":"user","content":[{"text":"hi"},{"text":"there"}]}]}`},
		{converse, `{"system":[{"text":"hi","cachePoint":null}],"promptVariables":{"v":{"text":"a"}}}`, `{"system":[{"text":"hi"}],"promptVariables":{"v":{"text":"a"}}}`},
		{countTokens, `{"input":{"invokeModel":null,"converse":{"messages":[]}}}`, `{"input":{"converse":{"messages":[]}}}`},
		{apply, `{"source":"INPUT","outputScope":null,"content":[{"image":null,"text":{"text":"a","qualifiers":null}}]}`, `{"source":"INPUT","content":[{"text":{"text":"a"}}]}`},
		{async, `{"clientRequestToken":"t","tags":null,"modelInput":{"a":null}}`, `{"clientRequestToken":"t","modelInput":{"a":null}}`},
	} {
		have, err := decodeStrict(post(row.path, row.body))
		if err != nil {
			t.Errorf("%s: %v", row.body, err)
			continue
		}
		want, err := decodeStrict(post(row.path, row.without))
		if err != nil {
			t.Fatal(err)
		}
		if have, want := wireOf(t, have), wireOf(t, want); string(have.body) != string(want.body) {
			t.Errorf("%s is sent on as %s, want %s", row.body, have.body, want.body)
		}
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`"k` + strings.Repeat("x", i) + `":0,`)
	}
	return b.String() + `"k7":0,`
}

// What stands beside the body is as strict.
func TestStrictRequests(t *testing.T) {
	const invoke, invokeStream = "/model/m/invoke", "/model/m/invoke-with-response-stream"
	json := func(more ...string) http.Header {
		h := http.Header{"Content-Type": {"application/json"}}
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = append(h[more[i]], more[i+1])
		}
		return h
	}
	for _, row := range []struct {
		name, method, path, query string
		header                    http.Header
		body, want                string
	}{
		{"a Converse with the header of a guardrail", "POST", converse, "", json("X-Amzn-Bedrock-Guardrailidentifier", secret), "{}", `has no header X-Amzn-Bedrock-Guardrailidentifier`},
		{"an unknown header of the API", "POST", invoke, "", json("X-Amzn-Bedrock-Save", secret), "{}", `has no header X-Amzn-Bedrock-Save`},
		{"an unknown header in small letters", "POST", invoke, "", json("x-amzn-bedrock-save", secret), "{}", `has no header X-Amzn-Bedrock-Save`},
		{"a stream's header for an InvokeModel", "POST", invoke, "", json("X-Amzn-Bedrock-Accept", secret), "{}", "has no header"},
		{"two guardrails", "POST", invoke, "", json("X-Amzn-Bedrock-Guardrailidentifier", "g", "X-Amzn-Bedrock-Guardrailidentifier", secret), "{}", "Guardrailidentifier stands twice"},
		{"two guardrails in two cases", "POST", invokeStream, "", json("X-Amzn-Bedrock-Guardrailidentifier", "g", "x-amzn-bedrock-guardrailidentifier", secret), "{}", "Guardrailidentifier stands twice"},
		{"an empty guardrail", "POST", invoke, "", json("X-Amzn-Bedrock-Guardrailidentifier", ""), "{}", "Guardrailidentifier is empty"},
		{"an empty trace", "POST", invoke, "", json("X-Amzn-Bedrock-Trace", ""), "{}", "Trace is empty"},
		{"a line end in a header", "POST", invoke, "", json("X-Amzn-Bedrock-Request-Metadata", "{}\r\nX: "+secret), "{}", "Metadata is empty, or has a control character"},
		{"two types of a model's body", "POST", invoke, "", json("Content-Type", secret), "{}", "Content-Type stands twice"},
		{"two Accepts", "POST", invoke, "", json("Accept", "a/b", "Accept", secret), "{}", "Accept stands twice"},
		{"two types", "POST", converse, "", json("content-type", "text/plain"), "{}", "Content-Type stands twice"},
		{"no type", "POST", converse, "", http.Header{}, "{}", "the Content-Type must be application/json"},
		{"an empty type", "POST", converse, "", http.Header{"Content-Type": {""}}, "{}", "Content-Type is empty"},
		{"a form", "POST", converse, "", http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}, "{}", "the Content-Type must be application/json"},
		{"another JSON", "POST", apply, "", http.Header{"Content-Type": {"application/x-amz-json-1.1"}}, "{}", "the Content-Type must be application/json"},
		{"another charset", "POST", converse, "", http.Header{"Content-Type": {"application/json; charset=utf-16"}}, "{}", "the Content-Type must be application/json"},
		{"a parameter", "POST", converse, "", http.Header{"Content-Type": {"application/json; profile=" + secret}}, "{}", "the Content-Type must be application/json"},
		{"an event stream for a Converse", "POST", stream, "", http.Header{"Content-Type": {wire.EventStreamType}}, "{}", "the Content-Type must be application/json"},
		{"JSON for an event stream", "POST", "/model/m/invoke-with-bidirectional-stream", "", json(), "", "the Content-Type must be " + wire.EventStreamType},
		{"gzip", "POST", converse, "", json("Content-Encoding", "gzip"), "{}", "Content-Encoding"},
		{"gzip of a model's body", "POST", invoke, "", json("Content-Encoding", "aws-chunked,gzip"), "{}", "Content-Encoding"},
		{"an unknown encoding", "POST", invoke, "", json("content-encoding", secret), "{}", "Content-Encoding"},
		{"a query", "POST", converse, "guardrailIdentifier=" + secret, json(), "{}", `Converse has no query parameter guardrailIdentifier`},
		{"a query of a text", "POST", invoke, "a%20b=" + secret, json(), "{}", "InvokeModel has no query parameter (no identifier)"},
		{"an empty query parameter", "POST", invoke, "x", json(), "{}", `no query parameter x`},
		{"a list's unknown parameter", "GET", async, "filter=" + secret, nil, "", `ListAsyncInvokes has no query parameter filter`},
		{"a list's parameter in another case", "GET", async, "MaxResults=1", nil, "", `no query parameter MaxResults`},
		{"a list's parameter twice", "GET", async, "maxResults=1&max%52esults=2", nil, "", "maxResults stands twice"},
		{"a list's empty parameter", "GET", async, "sortBy=", nil, "", "sortBy is empty"},
		{"a list's query with a semicolon", "GET", async, "maxResults=1;nextToken=" + secret, nil, "", "wrongly escaped"},
		{"a list's query wrongly escaped", "GET", async, "nextToken=%zz", nil, "", "wrongly escaped"},
		{"a list's query of no UTF-8", "GET", async, "nextToken=%ff", nil, "", "nextToken is not valid UTF-8"},
		{"a list with a body", "GET", async, "", json(), `{"maxResults":1}`, "ListAsyncInvokes has no body"},
		{"a get with a body", "GET", async + "/a", "", nil, "{}", "GetAsyncInvoke has no body"},
		{"an empty label", "POST", "/model//converse", "", json(), "{}", "modelId in the path is empty"},
		{"a label of dots", "POST", "/model/../converse", "", json(), "{}", "modelId in the path has a part of dots"},
		{"a label of dots, escaped", "POST", "/model/%2e%2E/converse", "", json(), "{}", "modelId in the path has a part of dots"},
		{"a label with a part of dots", "POST", "/model/a%2F..%2Fb/invoke", "", json(), "{}", "modelId in the path has a part of dots"},
		{"a label of one dot", "GET", async + "/%2e", "", nil, "", "invocationArn in the path has a part of dots"},
		{"a label that begins with a slash", "POST", "/model/%2Fa/converse", "", json(), "{}", "modelId in the path is empty"},
		{"a label with a double slash", "POST", "/model/a%2F%2Fb/converse", "", json(), "{}", "modelId in the path is empty, or has an empty part"},
		{"a label with a backslash", "POST", "/model/a%5C..%5Cb/converse", "", json(), "{}", "modelId in the path has a character"},
		{"a label with a line end", "POST", "/model/a%0D%0Ab/converse", "", json(), "{}", "modelId in the path has a character"},
		{"a label with a NUL", "POST", "/model/a%00/converse", "", json(), "{}", "modelId in the path has a character"},
		{"a label of no UTF-8", "POST", "/model/a%FF/converse", "", json(), "{}", "modelId in the path has a character"},
		{"a guardrail's version of dots", "POST", "/guardrail/g/version/../apply", "", json(), "{}", "guardrailVersion in the path has a part of dots"},
	} {
		_, err := decodeStrict(sentRequest{method: row.method, path: row.path, query: row.query, header: row.header, body: []byte(row.body)})
		refusedWith(t, row.name, err, "ValidationException", row.want)
	}
	for _, query := range []string{"maxResults=x", "maxResults=2147483648", "maxResults=%2B1", "submitTimeAfter=" + secret} {
		_, err := decodeStrict(sentRequest{method: "GET", path: async, query: query})
		refusedWith(t, query, err, "SerializationException", "")
	}
}

// What other SDKs write differently and mean the same is taken.
func TestStrictTakes(t *testing.T) {
	for _, body := range []string{
		`{}`, " {\r\n\t} ", `{"messages":[]}`, `{"inferenceConfig":{"temperature":1,"topP":"NaN","maxTokens":-0}}`,
		`{"inferenceConfig":{"temperature":0.30000000000000004,"topP":1E-2}}`,
		`{"messages":[{"content":[{"image":{"source":{"bytes":"\/\/\/\/"}}}],"role":"\u0075ser"}]}`,
		`{"messages":[{"content":[{"text":"\ud83d\ude00\u0000\/"}]}]}`,
		`{"additionalModelRequestFields":{"":null,"a":{"":[]}}}`,
		`{"additionalModelRequestFields":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
	} {
		if _, err := decodeStrict(post(converse, body)); err != nil {
			t.Errorf("%s: %v", body, err)
		}
	}
	for _, header := range []http.Header{
		{"Content-Type": {"application/json; charset=utf-8"}}, {"Content-Type": {"application/json;charset=UTF8"}}, {"Content-Type": {"Application/JSON;charset=UTF-8"}}, {"content-type": {"application/json"}},
		{"Content-Type": {"application/json"}, "Content-Encoding": {"aws-chunked"}}, {"Content-Type": {"application/json"}, "Accept": {"a", "b"}, "Amz-Sdk-Request": {"a", "b"}},
	} {
		if _, err := decodeStrict(sentRequest{method: "POST", path: converse, header: header, body: []byte("{}")}); err != nil {
			t.Errorf("%v: %v", header, err)
		}
	}
	in, err := decodeStrict(sentRequest{method: "POST", path: "/model/m/invoke", header: http.Header{"x-amzn-bedrock-guardrailIdentifier": {"g"}}, body: []byte("any")})
	if invoke, ok := in.(*bedrockruntime.InvokeModelInput); err != nil || !ok || *invoke.GuardrailIdentifier != "g" || string(invoke.Body) != "any" {
		t.Errorf("%v, %v", in, err)
	}
}
