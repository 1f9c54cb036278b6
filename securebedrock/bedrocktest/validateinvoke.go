package bedrocktest

import (
	"encoding/json"
	"mime"
	"slices"
	"strings"
)

// checkInvoke checks an InvokeModel: the types of content, then the body, which
// each model has its own form of.
func checkInvoke(model string, body []byte, contentType, accept *string) error {
	if !isJSON(contentType) {
		return invalid("The provided Content Type is invalid or not supported for this model")
	}
	// Stability's first model answers with an image if that is asked for.
	if provider, _ := providerOf(model); !acceptsJSON(accept) && provider != "stability" {
		return invalid("The provided Accept Type is invalid or not supported for this model")
	}
	return checkBody(model, body)
}

// acceptsJSON reports whether an Accept header takes JSON. An empty one does.
func acceptsJSON(accept *string) bool {
	if accept == nil || strings.TrimSpace(*accept) == "" {
		return true
	}
	return slices.ContainsFunc(strings.Split(*accept, ","), func(part string) bool {
		kind, _, err := mime.ParseMediaType(part)
		return err == nil && slices.Contains([]string{"*/*", "application/*", "application/json", "application/octet-stream"}, kind)
	})
}

// malformedInput is Bedrock's answer to a body that its model's schema refuses.
func malformedInput(why string) *apiError {
	if why != "" {
		why = ": #: " + why
	}
	return invalid("Malformed input request%s, please reformat your input and try again.", why)
}

// checkBody checks the body of the models whose request the documentation gives
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html).
// Of other models it must be JSON.
func checkBody(model string, body []byte) error {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil || fields == nil {
		return malformedInput("")
	}
	// null is a key without a value.
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
			return malformedInput("required key [inputText] not found")
		}
		return checkTitan(fields)
	case strings.HasPrefix(name, "titan-embed-image"):
		if !has("inputText", "inputImage") {
			return malformedInput("required key [inputText] not found")
		}
	case strings.HasPrefix(name, "nova") && converses(provider+"."+name):
		if !has("messages") {
			return malformedInput("required key [messages] not found")
		}
	case provider == "cohere" && strings.HasPrefix(name, "embed"):
		if !has("texts", "images", "inputs") {
			return malformedInput("required key [texts] not found")
		}
		if !has("input_type") {
			return malformedInput("required key [input_type] not found")
		}
	case provider == "meta", provider == "mistral":
		if !has("prompt", "messages") {
			return malformedInput("required key [prompt] not found")
		}
	}
	return nil
}

// checkTitan checks the ranges of Titan Text
// (https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-text.html).
func checkTitan(fields map[string]json.RawMessage) error {
	var text string
	if json.Unmarshal(fields["inputText"], &text) != nil {
		return malformedInput("expected type of inputText: String")
	}
	if text == "" {
		return malformedInput("expected minLength of inputText: 1, actual: 0")
	}
	var config struct{ MaxTokenCount, Temperature, TopP *float64 }
	if raw := fields["textGenerationConfig"]; raw != nil && json.Unmarshal(raw, &config) != nil {
		return malformedInput("expected type of textGenerationConfig: JSONObject")
	}
	switch {
	case outside(config.MaxTokenCount, 0, 1e9):
		return malformedInput("textGenerationConfig.maxTokenCount is not greater or equal to 0")
	case outside(config.Temperature, 0, 1):
		return malformedInput("textGenerationConfig.temperature is not between 0 and 1")
	case outside(config.TopP, 0, 1):
		return malformedInput("textGenerationConfig.topP is not between 0 and 1")
	}
	return nil
}

func outside(n *float64, low, high float64) bool { return n != nil && (*n < low || *n > high) }
