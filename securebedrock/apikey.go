package securebedrock

import (
	"fmt"
	"os"
)

// apiKey is the variable from which the SDK takes a Bedrock API key.
const apiKey = "AWS_BEARER_TOKEN_BEDROCK"

func apiKeyIsSet() bool { return os.Getenv(apiKey) != "" }

// unusedKey tells who has nothing but a Bedrock API key why it does not help.
func unusedKey() string {
	if !apiKeyIsSet() {
		return ""
	}
	return "; " + apiKey + " is set and is not used, since calls are signed with SigV4: configure an access key, a profile or a role"
}

func withUnusedKey(err error) error {
	if err == nil || unusedKey() == "" {
		return err
	}
	return fmt.Errorf("%w%s", err, unusedKey())
}
