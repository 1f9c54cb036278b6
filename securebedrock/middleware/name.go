package middleware

import (
	"strings"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// nameOf is one name for the spellings of one model: a foundation model's ID and
// its ARN, and a system inference profile's ID and its ARN. A profile and the model
// that it runs are two: Bedrock has a quota and a price for each.
func nameOf(id string) string {
	rest, isARN := strings.CutPrefix(id, "arn:")
	if !isARN {
		return id
	}
	for range 4 { // partition, service, region, account
		_, rest, _ = strings.Cut(rest, ":")
	}
	kind, name, _ := strings.Cut(rest, "/")
	switch securebedrock.ModelKind(kind) {
	case securebedrock.KindFoundationModel, securebedrock.KindInferenceProfile:
		if name != "" {
			return name
		}
	}
	return id
}
