package compat

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	anthropicbedrock "github.com/anthropics/anthropic-sdk-go/bedrock"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// anthropicOver is Anthropic's SDK over a guarded client. The SDK signs with the keys of
// its configuration, which the Transport drops. options come after the guard's.
func anthropicOver(client *securebedrock.Client, options ...option.RequestOption) anthropic.Client {
	return anthropic.NewClient(append([]option.RequestOption{
		anthropicbedrock.WithConfig(aws.Config{
			Region:      "us-east-1",
			Credentials: credentials.NewStaticCredentialsProvider("unused", "unused", ""),
		}),
		option.WithHTTPClient(&http.Client{Transport: bedrockhttp.Transport(client)}),
	}, options...)...)
}

func question(model, text string) anthropic.MessageNewParams {
	return anthropic.MessageNewParams{
		Model:     model,
		MaxTokens: 64,
		Messages:  []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(text))},
	}
}

// whole asks for an answer in one piece.
func whole(client anthropic.Client, t *testing.T, model string) (string, error) {
	t.Helper()
	message, err := client.Messages.New(t.Context(), question(model, prompt))
	if err != nil {
		return "", err
	}
	return textOf(message), nil
}

// streamed asks for an answer in events.
func streamed(client anthropic.Client, t *testing.T, model string) (string, error) {
	t.Helper()
	stream := client.Messages.NewStreaming(t.Context(), question(model, prompt))
	var message anthropic.Message
	for stream.Next() {
		if err := message.Accumulate(stream.Current()); err != nil {
			return "", err
		}
	}
	return textOf(&message), stream.Err()
}

func textOf(message *anthropic.Message) string {
	var b strings.Builder
	for _, block := range message.Content {
		b.WriteString(block.Text)
	}
	return b.String()
}

// Whatever endpoint, token or header the program gives Anthropic's SDK, and whatever the
// environment says, each request arrives where the Options say, with the guardrail and
// without the program's own keys.
func TestAnthropicIsGuarded(t *testing.T) {
	for _, ask := range []struct {
		name, operation string
		do              func(anthropic.Client, *testing.T, string) (string, error)
	}{
		{"whole", "InvokeModel", whole},
		{"streamed", "InvokeModelWithResponseStream", streamed},
	} {
		for _, row := range []struct {
			name        string
			environment map[string]string
			options     []option.RequestOption
		}{
			{name: "as it is"},
			{name: "another endpoint", options: []option.RequestOption{option.WithBaseURL("https://evil.example.com")}},
			{name: "a guardrail of the program's own in a header that means nothing", options: []option.RequestOption{option.WithHeader("X-Guardrail", "other")}},
			{name: "a token of the program's own", options: []option.RequestOption{option.WithAuthToken("sk-of-the-program")}},
			{name: "a hostile environment", environment: map[string]string{
				"AWS_BEARER_TOKEN_BEDROCK": "sk-of-the-environment", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": "https://evil.example.com",
				"ANTHROPIC_API_KEY": "sk-of-the-environment", "ANTHROPIC_BASE_URL": "https://evil.example.com", "HTTPS_PROXY": "http://evil.example.com",
			}},
		} {
			t.Run(ask.name+"/"+row.name, func(t *testing.T) {
				for k, v := range row.environment {
					t.Setenv(k, v)
				}
				server := bedrocktest.NewServer(t)
				answer, err := ask.do(anthropicOver(guarded(t, server), row.options...), t, model)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(answer, "Name one river") {
					t.Errorf("the answer %q does not quote the prompt", answer)
				}
				call := onlyCall(t, server)
				arrivedGuarded(t, server, call, ask.operation)
				for name, values := range call.Header {
					if text := strings.Join(values, " "); strings.Contains(text, "sk-of-the") || strings.Contains(text, "Credential=unused") {
						t.Errorf("the header %s holds the program's own key", name)
					}
				}
			})
		}
	}
}

// A refusal is an error of Anthropic's SDK with the rule and the remedy. The SDK does not
// send the request again, and nothing of it is sent.
func TestAnthropicSeesTheRefusal(t *testing.T) {
	for _, row := range []struct {
		name, model string
		rule        error
		options     []option.RequestOption
	}{
		{"global profile", "global." + model, securebedrock.ErrResidency, nil},
		{"profile of another geography", "eu." + model, securebedrock.ErrResidency, nil},
		{"another guardrail", model, securebedrock.ErrGuardrailOverride, []option.RequestOption{
			option.WithHeader("X-Amzn-Bedrock-GuardrailIdentifier", "anotherone"), option.WithHeader("X-Amzn-Bedrock-GuardrailVersion", "1")}},
	} {
		for name, do := range map[string]func(anthropic.Client, *testing.T, string) (string, error){"whole": whole, "streamed": streamed} {
			t.Run(row.name+"/"+name, func(t *testing.T) {
				server := bedrocktest.NewServer(t)
				_, err := do(anthropicOver(guarded(t, server), row.options...), t, row.model)
				var answer *anthropic.Error
				if !errors.As(err, &answer) {
					t.Fatalf("error %v, want an error of Anthropic's SDK", err)
				}
				if answer.StatusCode != http.StatusForbidden || answer.Response.Header.Get("X-Should-Retry") != "false" {
					t.Errorf("status %d, x-should-retry %q", answer.StatusCode, answer.Response.Header.Get("X-Should-Retry"))
				}
				if !strings.Contains(err.Error(), row.rule.Error()) {
					t.Errorf("error %v does not name the rule %v", err, row.rule)
				}
				if calls := inference(server); len(calls) != 0 {
					t.Errorf("%d calls arrived, want none", len(calls))
				}
			})
		}
	}
}

// A throttle reaches Anthropic's SDK as what it is.
func TestAnthropicSeesTheThrottle(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("InvokeModel", bedrocktest.Error(429, "ThrottlingException", "Too many tokens per day, please wait before trying again."))
	_, err := whole(anthropicOver(guarded(t, server), option.WithMaxRetries(0)), t, model)
	var answer *anthropic.Error
	if !errors.As(err, &answer) || answer.StatusCode != http.StatusTooManyRequests {
		t.Fatalf("error %v, want status 429", err)
	}
}

// Anthropic's SDK cannot sign with the keys of a guarded configuration. The error names
// the package that it needs.
func TestAnthropicGetsNoKeysOfConfig(t *testing.T) {
	server := bedrocktest.NewServer(t)
	client := anthropic.NewClient(anthropicbedrock.WithConfig(guarded(t, server).Config()), option.WithMaxRetries(0))
	_, err := whole(client, t, model)
	if !errors.Is(err, securebedrock.ErrBypassed) || !strings.Contains(err.Error(), "bedrockhttp") {
		t.Errorf("error %v, want %v and the package bedrockhttp", err, securebedrock.ErrBypassed)
	}
	if calls := inference(server); len(calls) != 0 {
		t.Errorf("%d calls arrived, want none", len(calls))
	}
}

// A program that sends Anthropic's own API through the Transport is refused by name.
func TestAnthropicsOwnAPIIsNotServed(t *testing.T) {
	server := bedrocktest.NewServer(t)
	client := anthropic.NewClient(option.WithAPIKey("sk-of-the-program"), option.WithMaxRetries(0),
		option.WithHTTPClient(&http.Client{Transport: bedrockhttp.Transport(guarded(t, server))}))
	_, err := whole(client, t, model)
	if err == nil || !strings.Contains(err.Error(), "Messages") {
		t.Errorf("error %v, want one that names the Messages API", err)
	}
	if calls := inference(server); len(calls) != 0 {
		t.Errorf("%d calls arrived, want none", len(calls))
	}
}

// A tool's use reaches Anthropic's SDK as the model wrote it.
func TestAnthropicUsesTools(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.ReplyInvoke(func(string, []byte) ([]byte, error) {
		return json.Marshal(map[string]any{
			"id": "msg_1", "type": "message", "role": "assistant", "model": model, "stop_reason": "tool_use",
			"content": []any{map[string]any{"type": "tool_use", "id": "toolu_1", "name": "river", "input": map[string]any{"continent": "Europe"}}},
			"usage":   map[string]any{"input_tokens": 1, "output_tokens": 1},
		})
	})
	params := question(model, prompt)
	params.Tools = []anthropic.ToolUnionParam{{OfTool: &anthropic.ToolParam{Name: "river",
		InputSchema: anthropic.ToolInputSchemaParam{Properties: map[string]any{"continent": map[string]any{"type": "string"}}}}}}
	client := anthropicOver(guarded(t, server))
	message, err := client.Messages.New(t.Context(), params)
	if err != nil {
		t.Fatal(err)
	}
	if len(message.Content) != 1 || message.Content[0].Name != "river" || string(message.Content[0].Input) != `{"continent":"Europe"}` {
		t.Errorf("the answer is %+v", message.Content)
	}
	arrivedGuarded(t, server, onlyCall(t, server), "InvokeModel")
}
