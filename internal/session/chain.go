package session

import (
	"context"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Chain is the default credential chain of New, which it reads anew after an
// expiry: the SDK keeps what stands in the environment and the shared files at the
// first reading.
type Chain struct {
	load func(context.Context) (aws.CredentialsProvider, error)

	mu      sync.Mutex
	current aws.CredentialsProvider
	stale   bool
}

// NewChain returns a Chain whose first reading was current. load reads the chain anew.
func NewChain(current aws.CredentialsProvider, load func(context.Context) (aws.CredentialsProvider, error)) *Chain {
	return &Chain{current: current, load: load}
}

// Retrieve implements aws.CredentialsProvider. It is safe for concurrent use.
func (r *Chain) Retrieve(ctx context.Context) (aws.Credentials, error) {
	p, err := r.provider(ctx)
	if err != nil {
		return aws.Credentials{}, err
	}
	creds, err := p.Retrieve(ctx)
	if !Expired(err) {
		return creds, err
	}
	// A profile's role, asked for with the file's old credentials.
	r.drop(p)
	if p, err = r.provider(ctx); err != nil {
		return aws.Credentials{}, err
	}
	return p.Retrieve(ctx)
}

func (r *Chain) provider(ctx context.Context) (aws.CredentialsProvider, error) {
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

func (r *Chain) drop(p aws.CredentialsProvider) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale = r.stale || r.current == p
}

// Invalidate has the next Retrieve read the chain anew.
func (r *Chain) Invalidate() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stale = true
}

// ProviderSources keeps the SDK's user agent truthful.
func (r *Chain) ProviderSources() []aws.CredentialSource {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p, ok := r.current.(aws.CredentialProviderSource); ok {
		return p.ProviderSources()
	}
	return nil
}
