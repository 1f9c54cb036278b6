package rules

import (
	"encoding/json"
	"mime"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// checkInvoke checks an InvokeModel: the content types, then the body in the form of
// its model.
func checkInvoke(model string, body []byte, contentType, accept *string) error {
	if !IsJSON(contentType) {
		return wire.Invalid("The provided Content Type is invalid or not supported for this model")
	}
	// Stability's first model answers with an image if the client asks for one.
	if provider, _ := providerOf(model); !acceptsJSON(accept) && provider != "stability" {
		return wire.Invalid("The provided Accept Type is invalid or not supported for this model")
	}
	return checkBody(model, body)
}

// acceptsJSON reports whether an Accept header takes JSON. An empty header does.
func acceptsJSON(accept *string) bool {
	if accept == nil || strings.TrimSpace(*accept) == "" {
		return true
	}
	return slices.ContainsFunc(strings.Split(*accept, ","), func(part string) bool {
		kind, _, err := mime.ParseMediaType(part)
		return err == nil && slices.Contains([]string{"*/*", "application/*", "application/json", "application/octet-stream"}, kind)
	})
}

// checkBody checks the body of each model that has a documented request
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html). The
// body of another model only has to be JSON.
func checkBody(model string, body []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return wire.MalformedBody("")
	}
	// A key with the value null counts as missing.
	for name, value := range fields {
		if string(value) == "null" {
			delete(fields, name)
		}
	}
	provider, name := providerOf(model)
	has := func(keys ...string) bool {
		return slices.ContainsFunc(keys, func(key string) bool { return fields[key] != nil })
	}
	switch {
	case provider == "anthropic":
		return checkAnthropic(name, body, fields)
	case strings.HasPrefix(name, "titan-text"), strings.HasPrefix(name, "titan-tg1"), strings.HasPrefix(name, "titan-embed-text"), strings.HasPrefix(name, "titan-embed-g1"):
		if !has("inputText") {
			return wire.MissingKey("inputText")
		}
		return checkTitan(fields)
	case strings.HasPrefix(name, "titan-embed-image"):
		if !has("inputText", "inputImage") {
			return wire.MissingKey("inputText")
		}
	case strings.HasPrefix(name, "nova") && converses(provider+"."+name):
		if !has("messages") {
			return wire.MissingKey("messages")
		}
	case provider == "cohere" && strings.HasPrefix(name, "embed"):
		if !has("texts", "images", "inputs") {
			return wire.MissingKey("texts")
		}
		if !has("input_type") {
			return wire.MissingKey("input_type")
		}
	case provider == "meta", provider == "mistral":
		if !has("prompt", "messages") {
			return wire.MissingKey("prompt")
		}
	}
	return nil
}

// checkTitan checks the ranges of Titan Text
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html).
func checkTitan(fields map[string]json.RawMessage) error {
	var text string
	if json.Unmarshal(fields["inputText"], &text) != nil {
		return wire.MalformedBody("expected type of inputText: String")
	}
	if text == "" {
		return wire.MalformedBody("expected minLength of inputText: 1, actual: 0")
	}
	var config struct{ MaxTokenCount, Temperature, TopP *float64 }
	if raw := fields["textGenerationConfig"]; raw != nil && json.Unmarshal(raw, &config) != nil {
		return wire.MalformedBody("expected type of textGenerationConfig: JSONObject")
	}
	switch {
	case outsideRange(config.MaxTokenCount, 0, 1e9):
		return wire.MalformedBody("textGenerationConfig.maxTokenCount is not greater or equal to 0")
	case outsideRange(config.Temperature, 0, 1):
		return wire.MalformedBody("textGenerationConfig.temperature is not between 0 and 1")
	case outsideRange(config.TopP, 0, 1):
		return wire.MalformedBody("textGenerationConfig.topP is not between 0 and 1")
	}
	return nil
}

// IsJSON reports whether a request's content type is JSON. A missing content type
// means JSON, and some SDKs send the default type of a blob in its place.
func IsJSON(contentType *string) bool {
	if contentType == nil {
		return true
	}
	kind, _, err := mime.ParseMediaType(*contentType)
	return err == nil && (kind == "application/json" || kind == "application/octet-stream")
}
