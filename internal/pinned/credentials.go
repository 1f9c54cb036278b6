package pinned

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// CheckCredentials refuses what could sign nothing. ifNone is added to the fault of a
// configuration without credentials. A provider that gives no key later on is stopped
// by the gate.
func CheckCredentials(p aws.CredentialsProvider, ifNone string, faults *refusal.Faults) {
	switch {
	case p == nil:
		faults.Add("Credentials", "none are configured; set aws.Config.Credentials%s", ifNone)
	case foreign.IsNil(p):
		faults.Add("Credentials", "they are a nil %T", p)
	case aws.IsCredentialsProvider(p, (*aws.AnonymousCredentials)(nil)):
		faults.Add("Credentials", "%w: anonymous credentials are refused", refusal.Auth)
	}
}

// NotedCredentials takes note, in the context of a call, of what its provider gave.
// A gate then demands a signature by that key.
type NotedCredentials struct{ aws.CredentialsProvider }

type noteKey struct{}

// note is written on the goroutine of the call alone.
type note struct{ accessKey, token string }

// WithNote returns the context of a call whose credentials are noted.
func WithNote(ctx context.Context) context.Context {
	return context.WithValue(ctx, noteKey{}, new(note))
}

// Retrieve implements aws.CredentialsProvider.
func (c NotedCredentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	got, err := c.CredentialsProvider.Retrieve(ctx)
	if n, ok := ctx.Value(noteKey{}).(*note); ok && err == nil {
		n.accessKey, n.token = got.AccessKeyID, got.SessionToken
	}
	return got, err
}

// ProviderSources keeps the SDK's user agent truthful.
func (c NotedCredentials) ProviderSources() []aws.CredentialSource {
	if p, ok := c.CredentialsProvider.(aws.CredentialProviderSource); ok {
		return p.ProviderSources()
	}
	return nil
}

// NotedSignature is the signature that a request of ctx's call must carry. Without a
// note no signature will do.
func NotedSignature(ctx context.Context, region, service string) Signature {
	want := Signature{Region: region, Service: service}
	if n, ok := ctx.Value(noteKey{}).(*note); ok {
		want.AccessKey, want.Token = n.accessKey, n.token
	}
	return want
}
