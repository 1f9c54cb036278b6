package bedrocktest

// newChecker returns what refuses the requests that Bedrock refuses, in Bedrock's
// order: first the constraints of the API's own model, then the model's identifier,
// then what the documentation alone says. models are models beside the known ones.
func newChecker(models []string) func(operation string, r *request) error {
	var checker requestChecker
	return func(operation string, r *request) error {
		if err := checker.check(operation, &r.parts); err != nil {
			return err
		}
		if r.call.ModelID != "" {
			if err := checkModelID(operation, r.call.ModelID, models); err != nil {
				return err
			}
		}
		return checkInput(r.call.Input)
	}
}
