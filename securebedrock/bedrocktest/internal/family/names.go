package family

import (
	"slices"
	"strings"
)

// providers are the first words of model IDs.
func providers() []string {
	return []string{
		"ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "luma", "meta", "minimax", "mistral", "moonshot", "moonshotai",
		"nvidia", "openai", "qwen", "stability", "twelvelabs", "writer", "xai", "zai",
	}
}

// splitModel splits an ID, an inference profile's ID or an ARN that holds one into
// provider and name: "us.anthropic.claude-3-haiku-20240307-v1:0" into "anthropic"
// and "claude-3-haiku-20240307-v1:0".
func splitModel(id string) (provider, name string) {
	for segment := range strings.SplitSeq(id, "/") {
		for range 2 { // an inference profile has its geography first
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
