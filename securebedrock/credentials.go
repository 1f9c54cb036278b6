package securebedrock

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go/logging"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/internal/session"
)

// sealedCredentials gives the configured credentials only to calls that have passed the
// rules. A per-call option that removes both the rules and the HTTP client therefore
// still cannot sign.
type sealedCredentials struct {
	inner   aws.CredentialsProvider // the configuration's
	session *session.Session        // nil without a Role
	role    string                  // for errors
	region  string                  // for errors
	outside outside
}

// newCredentials seals the configuration's credentials. With a Role, it seals the
// sessions of the Role that those credentials assume.
func (s *settings) newCredentials(base aws.CredentialsProvider, do aws.HTTPClient, logger logging.Logger) (_ *sealedCredentials, err error) {
	c := &sealedCredentials{inner: base, region: s.region, role: s.roleARN}
	if s.role != nil {
		c.session, err = s.session(base, do, logger)
	}
	return c, err
}

// session returns the role's session. base requests the session when the first call
// needs it.
func (s *settings) session(base aws.CredentialsProvider, client aws.HTTPClient, logger logging.Logger) (*session.Session, error) {
	r := s.role
	role := session.Role{ARN: r.ARN, Name: s.sessionName, ExternalID: r.ExternalID, SourceIdentity: r.SourceIdentity,
		Duration: r.Duration, Tags: r.Tags, TransitiveTagKeys: r.TransitiveTagKeys, Policy: r.Policy}
	if r.STS != nil {
		return role.Session(r.STS, nil), nil
	}
	api, err := session.RegionalSTS(s.stsPlace(), base, client, logger)
	if err != nil {
		return nil, err
	}
	return role.Session(api, func(ctx context.Context) bool { return session.Renew(ctx, base, "") }), nil
}

// stsPlace returns the place of the STS endpoint.
func (s *settings) stsPlace() session.Place {
	return session.Place{Region: s.region, FIPS: s.place.FIPS, DualStack: s.place.DualStack}
}

// Retrieve implements aws.CredentialsProvider. It is safe for concurrent use.
func (c *sealedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	ex := exchangeOf(ctx)
	if ex == nil || !ex.seal.Approved() {
		return aws.Credentials{}, c.outside.refuse(ctx,
			"credentials are given only to calls that have passed the rules and are under way; a per-call option replaced APIOptions, or these credentials were taken out of the client; for a library that signs requests by itself, use package bedrockhttp")
	}
	creds, principal, err := c.retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	if creds.AccessKeyID == "" || creds.SecretAccessKey == "" {
		return aws.Credentials{}, ex.named(refuse(ErrAuth, "the credentials provider gave no key; anonymous calls are refused"+unusedKey()))
	}
	ex.delivery.accessKey, ex.delivery.token, ex.delivery.principal = creds.AccessKeyID, creds.SessionToken, principal
	return creds, nil
}

// retrieve returns errors without the call's operation and model, which the caller
// adds.
func (c *sealedCredentials) retrieve(ctx context.Context) (aws.Credentials, string, error) {
	if c.session == nil {
		creds, err := c.inner.Retrieve(ctx)
		return creds, "", withUnusedKey(err)
	}
	got, err := c.session.Get(ctx)
	if err != nil {
		return aws.Credentials{}, "", fmt.Errorf("securebedrock: role %s could not be assumed through STS in %s: %w", c.role, c.region, withUnusedKey(err))
	}
	return got.Credentials, got.Principal, nil
}

// ProviderSources keeps the SDK's user agent correct.
func (c *sealedCredentials) ProviderSources() []aws.CredentialSource {
	if c.session != nil {
		return []aws.CredentialSource{aws.CredentialSourceSTSAssumeRole}
	}
	if p, ok := c.inner.(aws.CredentialProviderSource); ok {
		return p.ProviderSources()
	}
	return nil
}

// IsCredentialsProvider lets aws.IsCredentialsProvider see the sealed provider.
func (c *sealedCredentials) IsCredentialsProvider(target aws.CredentialsProvider) bool {
	if _, ok := target.(*sealedCredentials); ok {
		return true
	}
	return c.session == nil && aws.IsCredentialsProvider(c.inner, target)
}

// renew drops the credentials that Bedrock called expired. It reports whether the next
// attempt may get others.
func (c *sealedCredentials) renew(ctx context.Context, accessKey string) bool {
	if c.session != nil {
		c.session.Refused(accessKey)
		return true
	}
	return session.Renew(ctx, c.inner, accessKey)
}

// checkCredentials refuses a provider that could sign no call.
func checkCredentials(role *Role, p aws.CredentialsProvider) error {
	if role != nil && role.STS != nil {
		return nil // the role's own client brings what it needs
	}
	var faults refusal.Faults
	pinned.CheckCredentials(p, ", or use New, which runs the default chain"+unusedKey(), &faults)
	return faults.Err()
}
