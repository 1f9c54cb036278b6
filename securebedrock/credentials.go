package securebedrock

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/middleware"
)

// sealedCredentials hands the configured credentials to calls that have passed
// the rules and to no others, so that a per-call option which takes both the
// rules and the HTTP client away still cannot sign.
type sealedCredentials struct {
	inner aws.CredentialsProvider
	role  string // for errors; empty without a Role
}

// Retrieve implements aws.CredentialsProvider. It is safe for concurrent use.
func (c *sealedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	st := stateOf(ctx)
	if st == nil || !st.approved {
		return aws.Credentials{}, &PolicyError{Rule: ErrGuardrailRequired, Operation: middleware.GetOperationName(ctx),
			Detail: "credentials are given only to calls that have passed the rules; a per-call option replaced APIOptions, or these credentials were taken out of the client"}
	}
	if st.dead != nil {
		return aws.Credentials{AccessKeyID: "none", SecretAccessKey: "none"}, nil
	}
	creds, err := c.inner.Retrieve(ctx)
	if err != nil {
		if c.role != "" {
			err = fmt.Errorf("securebedrock: role %s could not be assumed through STS in %s: %w", c.role, st.g.region, err)
		}
		return aws.Credentials{}, err
	}
	if creds.AccessKeyID == "" || creds.SecretAccessKey == "" {
		return aws.Credentials{}, st.named(refuse(ErrAuth, "the credentials provider gave no key; anonymous calls are refused"))
	}
	st.accessKey = creds.AccessKeyID
	return creds, nil
}

// ProviderSources keeps the SDK's user agent truthful.
func (c *sealedCredentials) ProviderSources() []aws.CredentialSource {
	if p, ok := c.inner.(aws.CredentialProviderSource); ok {
		return p.ProviderSources()
	}
	return nil
}

// IsCredentialsProvider lets aws.IsCredentialsProvider see through the seal.
func (c *sealedCredentials) IsCredentialsProvider(target aws.CredentialsProvider) bool {
	return aws.IsCredentialsProvider(c.inner, target)
}

func (o *Options) checkCredentials(p aws.CredentialsProvider) error {
	switch {
	case o.Role != nil && o.Role.STS != nil:
		return nil // the role's own client brings what it needs
	case p == nil:
		return fmt.Errorf("%w: Credentials: none are configured; set aws.Config.Credentials, or use New, which runs the default chain", ErrConfig)
	case aws.IsCredentialsProvider(p, (*aws.AnonymousCredentials)(nil)):
		return fmt.Errorf("%w: Credentials: %w: anonymous credentials are refused", ErrConfig, ErrAuth)
	}
	return nil
}
