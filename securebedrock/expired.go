package securebedrock

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"
)

// isExpiredToken recognises the answer to credentials that are over:
// ExpiredTokenException of Bedrock and ExpiredToken of STS (their "Common Errors"),
// or another code with their message. RequestExpired is not among them: it is about
// the clock.
func isExpiredToken(err error) bool {
	var answer smithy.APIError
	if !errors.As(err, &answer) {
		return false
	}
	switch answer.ErrorCode() {
	case "ExpiredTokenException", "ExpiredToken":
		return true
	}
	return strings.Contains(answer.ErrorMessage(), "security token included in the request is expired")
}

// renewProvider makes a provider forget the credentials with accessKey, and reports
// whether it may give others. Credentials that another call has renewed meanwhile
// are kept.
func renewProvider(ctx context.Context, p aws.CredentialsProvider, accessKey string) bool {
	if aws.IsCredentialsProvider(p, credentials.StaticCredentialsProvider{}) {
		return false
	}
	cache, ok := p.(interface{ Invalidate() })
	if !ok {
		return true // it is asked for each attempt
	}
	if now, err := p.Retrieve(ctx); accessKey == "" || err == nil && now.AccessKeyID == accessKey {
		cache.Invalidate()
	}
	return true
}

// reloading is the default credential chain of New, which it reads anew after an
// expiry: the SDK keeps what stands in the environment and the shared files at the
// first reading.
type reloading struct {
	load func(context.Context) (aws.CredentialsProvider, error)

	mu      sync.Mutex
	current aws.CredentialsProvider
	stale   bool
}

// Retrieve implements aws.CredentialsProvider. It is safe for concurrent use.
func (r *reloading) Retrieve(ctx context.Context) (aws.Credentials, error) {
	p, err := r.provider(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	creds, err := p.Retrieve(ctx)
	if !isExpiredToken(err) {
		return creds, err
	}
	// A profile's role, asked for with the file's old credentials.
	r.drop(p)
	if p, err = r.provider(ctx); err != nil {
		return aws.Credentials{}, err
	}
	return p.Retrieve(ctx)
}

func (r *reloading) provider(ctx context.Context) (aws.CredentialsProvider, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stale {
		fresh, err := r.load(ctx)
		if err != nil {
			return nil, err
		}
		r.current, r.stale = fresh, false
	}
	return r.current, nil
}

func (r *reloading) drop(p aws.CredentialsProvider) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale = r.stale || r.current == p
}

// Invalidate has the next Retrieve read the chain anew.
func (r *reloading) Invalidate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale = true
}

// ProviderSources keeps the SDK's user agent truthful.
func (r *reloading) ProviderSources() []aws.CredentialSource {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, ok := r.current.(aws.CredentialProviderSource); ok {
		return p.ProviderSources()
	}
	return nil
}
