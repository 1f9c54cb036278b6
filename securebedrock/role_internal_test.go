package securebedrock

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/logging"
)

// hourlySTS grants sessions of an hour, and fails while it is down.
type hourlySTS struct {
	asked int
	down  bool
}

func (s *hourlySTS) AssumeRole(_ context.Context, in *sts.AssumeRoleInput, _ ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	s.asked++
	if s.down {
		return nil, errors.New("STS is down")
	}
	return &sts.AssumeRoleOutput{Credentials: &ststypes.Credentials{AccessKeyId: aws.String("ASIAEXAMPLE"), SecretAccessKey: aws.String("s"),
		SessionToken: aws.String("t"), Expiration: aws.Time(time.Now().Add(time.Duration(*in.DurationSeconds) * time.Second))}}, nil
}

// A session is renewed before its end, and kept to its end where it is not.
func TestSessionRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := new(hourlySTS)
		provider, err := newRoleCredentials(&Role{ARN: "arn:aws:iam::123456789012:role/app", STS: api}, logging.Nop{}, "us-east-1", nil, nil, Endpoint{})
		if err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		at := func(after time.Duration, wantAsked int, wantErr bool) {
			t.Helper()
			time.Sleep(time.Until(start.Add(after)))
			creds, err := provider.Retrieve(t.Context())
			if (err != nil) != wantErr || err == nil && creds.AccessKeyID == "" || api.asked != wantAsked {
				t.Errorf("after %v STS was asked %d times, want %d; %v", after, api.asked, wantAsked, err)
			}
		}
		at(0, 1, false)
		at(50*time.Minute, 1, false)
		at(59*time.Minute, 2, false) // renewed early
		api.down = true
		renewed := 59 * time.Minute
		at(renewed+50*time.Minute, 2, false)
		at(renewed+58*time.Minute, 3, false)                // it fails, and the session goes on
		at(renewed+58*time.Minute+time.Second, 3, false)    // not asked at every call
		at(renewed+58*time.Minute+20*time.Second, 4, false) // but again after a pause
		at(renewed+60*time.Minute+time.Second, 5, true)     // over
		api.down = false
		at(renewed+60*time.Minute+2*time.Second, 6, false)
	})
}
