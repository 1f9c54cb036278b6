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
	inner   aws.CredentialsProvider // the configuration's
	session *roleSession            // nil without a Role
	role    string                  // for errors
}

// Retrieve implements aws.CredentialsProvider. It is safe for concurrent use.
func (c *sealedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	st := stateOf(ctx)
	if st == nil || !st.approved {
		return aws.Credentials{}, &PolicyError{Rule: ErrGuardrailRequired, Operation: middleware.GetOperationName(ctx),
			Detail: "credentials are given only to calls that have passed the rules; a per-call option replaced APIOptions, or these credentials were taken out of the client"}
	}
	creds, principal, err := c.retrieve(ctx, st.g.region)
	if err != nil {
		return aws.Credentials{}, err
	}
	if creds.AccessKeyID == "" || creds.SecretAccessKey == "" {
		return aws.Credentials{}, st.named(refuse(ErrAuth, "the credentials provider gave no key; anonymous calls are refused"))
	}
	st.accessKey, st.principal = creds.AccessKeyID, principal
	return creds, nil
}

func (c *sealedCredentials) retrieve(ctx context.Context, region string) (aws.Credentials, string, error) {
	if c.session == nil {
		creds, err := c.inner.Retrieve(ctx)
		return creds, "", err
	}
	got, err := c.session.get(ctx)
	if err != nil {
		return aws.Credentials{}, "", fmt.Errorf("securebedrock: role %s could not be assumed through STS in %s: %w", c.role, region, err)
	}
	return got.credentials, got.principal, nil
}

// ProviderSources keeps the SDK's user agent truthful.
func (c *sealedCredentials) ProviderSources() []aws.CredentialSource {
	if c.session != nil {
		return []aws.CredentialSource{aws.CredentialSourceSTSAssumeRole}
	}
	if p, ok := c.inner.(aws.CredentialProviderSource); ok {
		return p.ProviderSources()
	}
	return nil
}

// IsCredentialsProvider lets aws.IsCredentialsProvider see through the seal.
func (c *sealedCredentials) IsCredentialsProvider(target aws.CredentialsProvider) bool {
	return c.session == nil && aws.IsCredentialsProvider(c.inner, target)
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
