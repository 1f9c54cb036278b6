package policy

import (
	"maps"
	"slices"
)

// denial makes a service control policy of Deny statements. An SCP without an Allow
// statement stands beside FullAWSAccess, which every organisation's root has from the
// start.
func denial(name, purpose, mirrors string, statements ...Statement) ([]Document, error) {
	return fit(Document{
		Name:       name,
		Kind:       KindSCP,
		Purpose:    purpose,
		Attach:     "the organisational unit or the account whose programs all run under these Options; an SCP never binds the management account",
		Mirrors:    mirrors,
		Statements: statements,
	})
}

// bedrockActions are all actions of all service prefixes that belong to Bedrock
// (Service Authorization Reference: list_bedrock, list_bedrock-agentcore,
// list_bedrock-mantle; bedrock-websearch by IAM's published data of 2026-09). An action
// cannot have a wildcard in its prefix, so that each prefix stands by itself.
func bedrockActions() []string {
	return []string{"bedrock:*", "bedrock-agentcore:*", "bedrock-mantle:*", "bedrock-websearch:*"}
}

// modelActions are the two actions of model inference. Converse, StartAsyncInvoke and
// InvokeModelWithBidirectionalStream authorize as the first, ConverseStream as the second
// (Bedrock API Reference, API_runtime_Converse and the pages beside it).
func modelActions() []string {
	return []string{"bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"}
}

// reasons writes a map of reasons as a sentence's end: "A (why), B (why)".
func reasons(m map[string]string) string {
	var text string
	for _, key := range slices.Sorted(maps.Keys(m)) {
		if text != "" {
			text += ", "
		}
		text += key + " (" + m[key] + ")"
	}
	return text
}
