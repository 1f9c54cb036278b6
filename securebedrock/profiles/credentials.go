package profiles

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// checkCredentials refuses what could sign nothing. A provider that gives no key
// later on is stopped by the gate.
func checkCredentials(p aws.CredentialsProvider) error {
	switch {
	case p == nil:
		return fmt.Errorf("%w: profiles: Credentials: none are configured; set aws.Config.Credentials", securebedrock.ErrConfig)
	case aws.IsCredentialsProvider(p, (*aws.AnonymousCredentials)(nil)):
		return fmt.Errorf("%w: profiles: Credentials: %w: anonymous credentials are refused", securebedrock.ErrConfig, securebedrock.ErrAuth)
	}
	return nil
}
