package family

import (
	"slices"
	"strings"
)

// providers returns the first words of model IDs.
func providers() []string {
	return []string{
		"ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "luma", "meta", "minimax", "mistral", "moonshot", "moonshotai",
		"nvidia", "openai", "qwen", "stability", "twelvelabs", "writer", "xai", "zai",
	}
}

// splitModel returns the provider and the name in a model's ID, in an inference
// profile's ID, or in an ARN with either: "us.anthropic.claude-3-haiku-20240307-v1:0"
// gives "anthropic" and "claude-3-haiku-20240307-v1:0".
func splitModel(id string) (provider, name string) {
	for segment := range strings.SplitSeq(id, "/") {
		for range 2 { // an inference profile begins with its geography
			first, rest, ok := strings.Cut(segment, ".")
			if !ok {
				break
			}
			if slices.Contains(providers(), first) {
				return first, rest
			}
			segment = rest
		}
	}
	return "", ""
}
