package bedrocktest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestSession(t *testing.T) {
	transports(t, func(t *testing.T, s *bedrocktest.Server) {
		service := sts.NewFromConfig(s.Config())
		out, err := service.AssumeRole(t.Context(), &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::123456789012:role/app/reader"), RoleSessionName: aws.String("me"), DurationSeconds: aws.Int32(900),
		})
		if err != nil {
			t.Fatal(err)
		}
		session := func(o *bedrockruntime.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
		}
		if _, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi"), session); err != nil {
			t.Fatal(err)
		}
		if got := s.Calls()[1].AccessKeyID; got != *out.Credentials.AccessKeyId {
			t.Errorf("signed by %s", got)
		}
		_, err = probe.Client(s).Converse(t.Context(), probe.Ask("hi"), func(o *bedrockruntime.Options) {
			o.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, "other")
		})
		probe.WantCode(t, err, 403, "UnrecognizedClientException")
		s.ExpireSessions()
		_, err = probe.Client(s).Converse(t.Context(), probe.Ask("hi"), session)
		probe.WantCode(t, err, 403, "ExpiredTokenException")
		if _, err := probe.Client(s).Converse(t.Context(), probe.Ask("hi")); err != nil {
			t.Errorf("the long-term key: %v", err)
		}
	})
}

const role = "arn:aws:iam::210987654321:role/app/reader"

func stsClient(s *bedrocktest.Server) *sts.Client {
	return sts.NewFromConfig(s.Config(), func(o *sts.Options) { o.RetryMaxAttempts = 1 })
}

func assume() *sts.AssumeRoleInput {
	return &sts.AssumeRoleInput{RoleArn: aws.String(role), RoleSessionName: aws.String("session@host")}
}

func TestAssumeRole(t *testing.T) {
	s := bedrocktest.NewServer(t)
	in := assume()
	in.DurationSeconds = aws.Int32(1800)
	in.ExternalId = aws.String("ext-1")
	in.SourceIdentity = aws.String("ada")
	in.Policy = aws.String(`{"Version":"2012-10-17"}`)
	in.Tags = []types.Tag{{Key: aws.String("team"), Value: aws.String("blue + green")}, {Key: aws.String("empty"), Value: aws.String("")}}
	in.TransitiveTagKeys = []string{"team"}
	out, err := stsClient(s).AssumeRole(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(*out.Credentials.Expiration); left < 29*time.Minute || left > 31*time.Minute {
		t.Errorf("expires in %v", left)
	}
	if !strings.HasPrefix(*out.Credentials.AccessKeyId, "ASIA") || *out.SourceIdentity != "ada" ||
		*out.AssumedRoleUser.Arn != "arn:aws:sts::210987654321:assumed-role/reader/session@host" {
		t.Errorf("%+v %+v", out, out.AssumedRoleUser)
	}
	call := s.Calls()[0]
	got := call.Input.(*sts.AssumeRoleInput)
	if call.Operation != "AssumeRole" || call.Service != "sts" || call.Status != 200 || call.Path != "/" {
		t.Errorf("call %+v", call)
	}
	if *got.RoleArn != role || *got.ExternalId != "ext-1" || *got.Policy != *in.Policy || *got.DurationSeconds != 1800 || len(got.Tags) != 2 ||
		*got.Tags[0].Value != "blue + green" || *got.Tags[1].Value != "" || len(got.TransitiveTagKeys) != 1 || *got.SourceIdentity != "ada" {
		t.Errorf("input %+v", got)
	}

	who, err := stsClient(s).GetCallerIdentity(t.Context(), nil, func(o *sts.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(*out.Credentials.AccessKeyId, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken)
	})
	if err != nil || *who.Arn != *out.AssumedRoleUser.Arn || *who.Account != "210987654321" {
		t.Errorf("%+v, %v", who, err)
	}
}

func TestSessionLifetime(t *testing.T) {
	s := bedrocktest.NewServer(t, bedrocktest.WithSessionLifetime(time.Second))
	out, err := stsClient(s).AssumeRole(t.Context(), assume())
	if err != nil {
		t.Fatal(err)
	}
	if left := time.Until(*out.Credentials.Expiration); left > 2*time.Second || left < 0 {
		t.Errorf("expires in %v", left)
	}
}

func TestAssumeRoleWithWebIdentity(t *testing.T) {
	s := bedrocktest.NewServer(t)
	out, err := stsClient(s).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String(role), RoleSessionName: aws.String("pod"), WebIdentityToken: aws.String("a.b.c"),
	})
	if err != nil || out.Credentials == nil || out.AssumedRoleUser == nil {
		t.Fatalf("%+v, %v", out, err)
	}
	if c := s.Calls()[0]; c.AuthScheme != "" || c.Operation != "AssumeRoleWithWebIdentity" || c.Status != 200 {
		t.Errorf("%+v", c)
	}
}

func TestSTSRefusals(t *testing.T) {
	s := bedrocktest.NewServer(t)
	_, err := stsClient(s).AssumeRole(t.Context(), assume(), func(o *sts.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider(s.Credentials().AccessKeyID, "wrong", "")
	})
	probe.WantCode(t, err, 403, "SignatureDoesNotMatch")
	_, err = stsClient(s).AssumeRole(t.Context(), assume(), func(o *sts.Options) {
		o.Credentials = credentials.NewStaticCredentialsProvider("AKIAOTHER", "wrong", "")
	})
	probe.WantCode(t, err, 403, "InvalidClientTokenId")
	_, err = stsClient(s).GetSessionToken(t.Context(), nil)
	probe.WantCode(t, err, 400, "InvalidAction")
	s.Fail("AssumeRole", bedrocktest.Throttle(1), bedrocktest.ServerError(503, 1), bedrocktest.Error(403, "AccessDenied", "no"))
	for _, want := range []struct {
		status int
		code   string
	}{{400, "Throttling"}, {503, "ServiceUnavailable"}, {403, "AccessDenied"}} {
		_, err = stsClient(s).AssumeRole(t.Context(), assume())
		probe.WantCode(t, err, want.status, want.code)
	}
	if _, err = stsClient(s).AssumeRole(t.Context(), assume()); err != nil {
		t.Error(err)
	}
}
