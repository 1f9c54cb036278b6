package bedrocktest

import (
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/rules"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/shapes"
)

// newChecker returns the check of every request. The order is Bedrock's: the
// constraints of the API's model, the model's identifier, then the documented rules.
// models holds identifiers of further models.
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
