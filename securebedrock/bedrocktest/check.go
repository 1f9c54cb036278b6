package bedrocktest

import (
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/rules"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/shapes"
)

// newChecker returns what refuses the requests that Bedrock refuses, in Bedrock's
// order: first the constraints of the API's own model, then the model's identifier,
// then what the documentation alone says. models are models beside the known ones.
func newChecker(models []string) func(operation string, r *request) error {
	var checker shapes.Checker
	return func(operation string, r *request) error {
		if err := checker.Check(operation, &r.parts); err != nil {
			return err
		}
		if r.call.ModelID != "" {
			if err := rules.CheckModelID(operation, r.call.ModelID, models); err != nil {
				return err
			}
		}
		return rules.CheckInput(r.call.Input)
	}
}
