package securebedrock

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

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
	p := &reloading{current: old, load: func(context.Context) (aws.CredentialsProvider, error) { loads++; return fresh, nil }}
	for range 2 {
		if got, err := p.Retrieve(t.Context()); err != nil || got.AccessKeyID != "FRESH" || loads != 1 {
			t.Errorf("got %q after %d loads: %v", got.AccessKeyID, loads, err)
		}
	}
}

// STS calls the credentials beneath a Role expired: they are renewed, and STS is
// asked once more and not again.
func TestExpiryBeneathTheRole(t *testing.T) {
	for _, row := range []struct {
		name   string
		err    error
		renews bool
		asked  int
	}{
		{"credentials that are renewed", errExpired, true, 2},
		{"credentials that cannot be", errExpired, false, 1},
		{"another error", errors.New("denied"), true, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked, renewed := 0, false
			s := newRoleSession(nil, "", nil)
			defer s.close()
			s.assume = func(context.Context) (*assumed, error) {
				if asked++; renewed {
					return &assumed{credentials: aws.Credentials{Expires: time.Now().Add(time.Hour)}}, nil
				}
				return nil, row.err
			}
			s.renewBase = func(context.Context) bool { renewed = row.renews; return row.renews }
			_, err := s.get(t.Context())
			if asked != row.asked || (err == nil) != (row.asked == 2) {
				t.Errorf("asked %d times, want %d: %v", asked, row.asked, err)
			}
		})
	}
}
