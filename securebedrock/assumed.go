package securebedrock

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/middleware"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// sessionSlack is how much longer than asked a session may seem to last: the
// difference of two clocks. A session beyond it would not be renewed in time.
const sessionSlack = time.Hour

// proveSession demands the session that was asked for: of the role's account and
// name, under the session's name, and with an end that is ahead and not far beyond
// the duration.
func proveSession(in *sts.AssumeRoleInput, out *sts.AssumeRoleOutput, now time.Time) error {
	if out == nil {
		return unproven("STS returned nothing")
	}
	return proveAssumed(aws.ToString(in.RoleArn), aws.ToString(in.RoleSessionName), in.DurationSeconds, out.AssumedRoleUser, out.Credentials, now)
}

func unproven(format string, args ...any) error {
	return &PolicyError{Rule: ErrAuth, Operation: opAssumeRole, Detail: fmt.Sprintf(format, args...)}
}

func proveAssumed(role, session string, seconds *int32, user *ststypes.AssumedRoleUser, credentials *ststypes.Credentials, now time.Time) error {
	if credentials == nil {
		return unproven("STS returned no session of %s", quotedARN(role))
	}
	if user != nil { // which an STS of the owner's making may leave out
		if err := proveRole(role, session, aws.ToString(user.Arn)); err != nil {
			return err
		}
	}
	duration := time.Hour // STS's default (API_AssumeRole, API_AssumeRoleWithWebIdentity)
	if seconds != nil {
		duration = time.Duration(*seconds) * time.Second
	}
	now = now.Round(0)
	switch end := aws.ToTime(credentials.Expiration); {
	case credentials.Expiration == nil:
		return unproven("STS returned a session of %s without an end", quotedARN(role))
	case !now.Before(end):
		return unproven("STS returned a session of %s that ended at %s, and it is %s here; correct the clock, or ask another STS in Role.STS", quotedARN(role), stamp(end), stamp(now))
	case end.After(now.Add(duration + sessionSlack)):
		return unproven("STS returned a session of %s that ends at %s, and %v was asked for at %s; correct the clock, or ask another STS in Role.STS", quotedARN(role), stamp(end), duration, stamp(now))
	}
	return nil
}

func proveRole(role, session, got string) error {
	// arn:aws:iam::123456789012:role/a/path/name is assumed as
	// arn:aws:sts::123456789012:assumed-role/name/session (IAM User Guide, "IAM
	// identifiers"). Names that differ in case alone are one role's (API_CreateRole).
	want, isRole := regions.ParseARN(role)
	have, isARN := regions.ParseARN(got)
	if isRole && isARN && have.Partition == want.Partition && have.Service == "sts" && have.Region == "" && have.Account == want.Account {
		path := strings.Split(have.Resource, "/")
		if len(path) == 3 && path[0] == "assumed-role" && strings.EqualFold(path[1], role[strings.LastIndexByte(role, '/')+1:]) && path[2] == session {
			return nil
		}
	}
	return unproven("STS returned a session of %s, and %s was to be assumed as %s; ask another STS in Role.STS", quotedARN(got), quotedARN(role), quotedARN(session))
}

// quotedARN repeats what can be the ARN of a session.
func quotedARN(s string) string {
	if len(s) > 256 || strings.ContainsFunc(s, func(r rune) bool { return !isSessionRune(r) && r != ':' && r != '/' }) {
		return "(no ARN)"
	}
	return strconv.Quote(s)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// credentialProof proves the sessions of the default chain, a profile's role and
// a web identity's.
type credentialProof credentialStep

func (*credentialProof) ID() string { return "securebedrock:session" }

func (p *credentialProof) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error,
) {
	out, metadata, err := next.HandleInitialize(ctx, in)
	if err != nil {
		return out, metadata, err
	}
	switch asked := in.Parameters.(type) {
	case *sts.AssumeRoleInput:
		got, _ := out.Result.(*sts.AssumeRoleOutput)
		err = proveSession(asked, got, time.Now())
	case *sts.AssumeRoleWithWebIdentityInput:
		got, _ := out.Result.(*sts.AssumeRoleWithWebIdentityOutput)
		if got == nil { // as STS with an empty answer
			got = &sts.AssumeRoleWithWebIdentityOutput{}
		}
		err = proveAssumed(aws.ToString(asked.RoleArn), aws.ToString(asked.RoleSessionName), asked.DurationSeconds, got.AssumedRoleUser, got.Credentials, time.Now())
	}
	if err != nil {
		out.Result = nil
		err = (*credentialStep)(p).named(err)
	}
	return out, metadata, err
}
