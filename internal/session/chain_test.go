package session

import (
	"context"
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/smithy-go"
)

var errExpired = &smithy.GenericAPIError{Code: "ExpiredToken", Message: "The security token included in the request is expired"}

// A provider that itself fails with an expiry is read anew: a profile's role is
// asked for with the file's credentials.
func TestExpiryWithinTheChain(t *testing.T) {
	loads := 0
	old := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, fmt.Errorf("assume role: %w", errExpired)
	}))
	fresh := aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "FRESH", SecretAccessKey: "s"}, nil
	}))
	p := NewChain(old, func(context.Context) (aws.CredentialsProvider, error) { loads++; return fresh, nil })
	for range 2 {
		if got, err := p.Retrieve(t.Context()); err != nil || got.AccessKeyID != "FRESH" || loads != 1 {
			t.Errorf("got %q after %d loads: %v", got.AccessKeyID, loads, err)
		}
	}
}
