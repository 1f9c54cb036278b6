package bedrockhttp_test

import (
	"net/url"
	"strings"
	"testing"
)

// A path that is not an operation's, and a name that is not a model's, is refused.
func TestAdversaryTarget(t *testing.T) {
	const unknown, denied, invalid = "404 UnknownOperationException", "403 AccessDeniedException", "400 ValidationException"
	refused := []string{unknown, denied, invalid, "405 UnknownOperationException"}
	target := func(path string) func(*rawRequest) {
		return func(r *rawRequest) { r.target = path }
	}
	model := func(name string) func(*rawRequest) {
		return target("/model/" + name + "/converse")
	}
	const converse = "/model/" + attackModel + "/converse"
	attacks := []attack{
		{name: "the root", spoil: target("/"), want: refused},
		{name: "an asterisk", spoil: func(r *rawRequest) { r.method, r.target = "OPTIONS", "*" }, want: append([]string{"400", "200"}, refused...)},
		{name: "a path without a slash", tamper: func(_ *attackDoor, r *rawRequest) { r.target = "model/x/converse" }, want: []string{"400"}},
		{name: "a step up", spoil: target("/x/.." + converse), want: refused},
		{name: "a step up within the path", spoil: target("/model/x/../" + attackModel + "/converse"), want: refused},
		{name: "an encoded step up", spoil: target("/x/%2e%2e" + converse), want: refused},
		{name: "a step up in the model's name", spoil: model("..%2f..%2fasync-invoke"), want: refused},
		{name: "a step up for a model's name", spoil: model("%2e%2e"), want: refused},
		{name: "a step of one dot", spoil: target("/./model/" + attackModel + "/converse"), want: refused},
		{name: "a double slash at the start", spoil: target("/" + converse), want: refused},
		{name: "a double slash in the middle", spoil: target("/model//" + attackModel + "/converse"), want: refused},
		{name: "a double slash in the model's place", spoil: target("/model//converse"), want: refused},
		{name: "a slash at the end", spoil: target(converse + "/"), want: refused},
		{name: "a backslash", spoil: target("/model%5c" + attackModel + "%5cconverse"), want: refused},
		{name: "an encoded slash", spoil: target("/model/" + attackModel + "%2fconverse"), want: refused},
		{name: "an encoded operation", spoil: target("/model/" + attackModel + "/%63onverse"), want: refused},
		{name: "an operation in upper case", spoil: target("/model/" + attackModel + "/Converse"), want: refused},
		{name: "a path in upper case", spoil: target("/MODEL/" + attackModel + "/converse"), want: refused},
		{name: "parameters", spoil: target(converse + ";x=y"), want: refused},
		{name: "parameters behind the model", spoil: target("/model/" + attackModel + ";x=y/converse"), want: refused},
		{name: "a query", spoil: target(converse + "?guardrailIdentifier=none"), want: refused},
		{name: "a fragment", spoil: target(converse + "%23fragment"), want: refused},
		{name: "a broken escape", tamper: func(_ *attackDoor, r *rawRequest) { r.target = "/model/%zz/converse" }, want: append([]string{"400"}, refused...)},
		{name: "an operation behind an operation", spoil: target(converse + "/invoke"), want: refused},
		{name: "an operation of no service", spoil: target("/model/" + attackModel + "/inverse"), want: refused},
		{name: "an operation of the control plane", spoil: target("/guardrails"), want: refused},
		{name: "an operation of the agents", spoil: target("/agents/a/agentAliases/b/sessions/c/text"), want: refused},
		{name: "the health of the sidecar", spoil: target("/healthz"), want: refused},
		{name: "another guardrail to apply", operation: "ApplyGuardrail", spoil: target("/guardrail/other00000/version/1/apply"), want: []string{denied}},
		{name: "another version to apply", operation: "ApplyGuardrail", spoil: func(r *rawRequest) {
			r.target = strings.Replace(r.target, "/version/1/", "/version/2/", 1)
		}, want: []string{denied}},
		{name: "OpenAI's chat completions", spoil: target("/openai/v1/chat/completions"), want: []string{denied}, says: "OpenAI's Chat Completions"},
		{name: "OpenAI's responses", spoil: target("/openai/v1/responses"), want: []string{denied}, says: "OpenAI's Responses"},
		{name: "OpenAI's chat completions behind a double slash", spoil: target("//openai/v1/chat/completions"), want: refused},
		{name: "Mantle's chat completions", spoil: target("/v1/chat/completions"), want: refused},
		{name: "Anthropic's messages", spoil: target("/anthropic/v1/messages"), want: []string{denied}},
		{name: "Anthropic's messages at their own path", spoil: target("/v1/messages"), want: refused},
		{name: "a bidirectional stream over HTTP/1.1", spoil: target("/model/amazon.nova-sonic-v1:0/invoke-with-bidirectional-stream"), want: append([]string{"426", "505"}, refused...)},
		{name: "an asynchronous call, which carries no guardrail", operation: "StartAsyncInvoke", want: []string{denied}},

		{name: "no model", spoil: model(""), want: refused},
		{name: "a newline in a model's name", spoil: model("anthropic.claude%0d%0aX-Evil:1"), want: refused},
		{name: "NUL in a model's name", spoil: model(attackModel + "%00"), want: refused},
		{name: "a model's name of ten kilobytes", spoil: model(strings.Repeat("a", 10<<10)), want: refused},
		{name: "a model's name that is not UTF-8", spoil: model(attackModel + "%ff%fe"), want: refused},
		{name: "a blank before a model's name", spoil: model("%20" + attackModel), want: refused},
		{name: "a model's name encoded twice", spoil: model(strings.ReplaceAll(attackModel, ":", "%253A")), want: refused},
		{name: "a global profile", spoil: model("global." + attackModel), want: []string{denied}},
		{name: "a profile of another geography", spoil: model("eu." + attackModel), want: []string{denied}},
		{name: "an ARN of another region", spoil: model(url.PathEscape("arn:aws:bedrock:eu-central-1::foundation-model/" + attackModel)), want: []string{denied}},
		{name: "an ARN of another partition", spoil: model(url.PathEscape("arn:aws-cn:bedrock:us-east-1::foundation-model/" + attackModel)), want: []string{denied}},
		{name: "an ARN of another service", spoil: model(url.PathEscape("arn:aws:s3:us-east-1:123456789012:foundation-model/" + attackModel)), want: []string{denied}},
		{name: "an ARN of another account", spoil: model(url.PathEscape("arn:aws:bedrock:us-east-1:999999999999:provisioned-model/abcdefghijkl")), want: []string{denied}},
		{name: "a URL for a model's name", spoil: model(url.PathEscape("https://evil.example/")), want: refused},
	}
	runAttacks(t, attacks)
}
