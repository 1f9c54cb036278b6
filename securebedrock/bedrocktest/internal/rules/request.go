package rules

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/document"
)

// converseRequest is a Converse request that is being checked.
type converseRequest struct {
	in              *bedrockruntime.ConverseInput
	provider, model string // of the foundation model, where the identifier shows it
}

func isPromptARN(id string) bool {
	return strings.HasPrefix(id, "arn:") && strings.Contains(id, ":prompt/")
}

// isObject reports whether a document is missing or is a JSON object.
func isObject(doc document.Marshaler) bool {
	if doc == nil {
		return true
	}
	body, err := doc.MarshalSmithyDocument()
	return err == nil && strings.HasPrefix(strings.TrimSpace(string(body)), "{")
}
