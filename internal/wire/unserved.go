package wire

import (
	"net/http"
	"net/url"
	"strings"
)

// Unserved returns the name of an API that bedrock-runtime or bedrock-mantle serves
// at a path and that is no operation of the SDK. A guarded client has no such call,
// so that whoever refuses the request can say what it was. path is as it was sent,
// escaped and without the query.
//
// bedrock-runtime serves OpenAI's APIs under /openai/v1, bedrock-mantle serves them
// under /v1 or /openai/v1, and Anthropic's Messages under /anthropic/v1
// (docs.aws.amazon.com/bedrock/latest/userguide/endpoints.html,
// inference-responses-api.html, inference-messages-api.html).
func Unserved(method, path string) (name string, ok bool) {
	if method == http.MethodConnect {
		return "", false
	}
	if plain, err := url.PathUnescape(path); err == nil {
		path = plain
	}
	rest := strings.ToLower(strings.Trim(path, "/"))
	owner := ""
	for _, prefix := range []struct{ path, owner string }{
		{"openai/v1", "OpenAI's"}, {"anthropic/v1", "Anthropic's"}, {"v1", ""}, {"openai", "OpenAI's"}, {"anthropic", "Anthropic's"},
	} {
		if tail, found := cutSegments(rest, prefix.path); found {
			rest, owner, ok = tail, prefix.owner, true
			break
		}
	}
	if !ok {
		return "", false
	}
	for _, api := range []struct{ path, name string }{
		{"chat/completions", "OpenAI's Chat Completions"},
		{"completions", "OpenAI's Completions"},
		{"responses", "OpenAI's Responses"},
		{"messages", "Anthropic's Messages"},
	} {
		if _, found := cutSegments(rest, api.path); found {
			return api.name, true
		}
	}
	if owner == "" {
		owner = "OpenAI's or Anthropic's"
	}
	return owner + " API", true
}

// cutSegments cuts whole segments off the beginning of a path.
func cutSegments(path, prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(path, prefix)
	if !ok || rest != "" && rest[0] != '/' {
		return "", false
	}
	return strings.Trim(rest, "/"), true
}
