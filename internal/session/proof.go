package session

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// clockSlack is how much longer than asked a session may seem to last: the difference
// of two clocks. A session beyond it would not be renewed in time.
const clockSlack = time.Hour

// question is what STS was asked for.
type question struct {
	op            string
	role, session string
	seconds       *int32
}

func askedOf(in *sts.AssumeRoleInput) question {
	return question{opAssumeRole, aws.ToString(in.RoleArn), aws.ToString(in.RoleSessionName), in.DurationSeconds}
}

// prove demands the session that was asked for: of the role's account and name, under
// the session's name, and with an end that is ahead and not far beyond the duration.
func (q question) prove(user *ststypes.AssumedRoleUser, credentials *ststypes.Credentials, now time.Time) error {
	if credentials == nil {
		return q.unproven("STS returned no session of %s; ask another STS in Role.STS", quotedARN(q.role))
	}
	if user != nil { // which an STS of the owner's making may leave out
		if err := q.proveRole(aws.ToString(user.Arn)); err != nil {
			return err
		}
	}
	duration := time.Hour // STS's default (API_AssumeRole, API_AssumeRoleWithWebIdentity)
	if q.seconds != nil {
		duration = time.Duration(*q.seconds) * time.Second
	}
	now = now.Round(0)
	switch end := aws.ToTime(credentials.Expiration); {
	case credentials.Expiration == nil:
		return q.unproven("STS returned a session of %s without an end; ask another STS in Role.STS", quotedARN(q.role))
	case !now.Before(end):
		return q.unproven("STS returned a session of %s that ended at %s, and it is %s here; correct the clock, or ask another STS in Role.STS", quotedARN(q.role), stamp(end), stamp(now))
	case end.After(now.Add(duration + clockSlack)):
		return q.unproven("STS returned a session of %s that ends at %s, and %v was asked for at %s; correct the clock, or ask another STS in Role.STS", quotedARN(q.role), stamp(end), duration, stamp(now))
	}
	return nil
}

func (q question) proveRole(got string) error {
	// arn:aws:iam::123456789012:role/a/path/name is assumed as
	// arn:aws:sts::123456789012:assumed-role/name/session (IAM User Guide, "IAM
	// identifiers"). Names that differ in case alone are one role's (API_CreateRole).
	want, isRole := regions.ParseARN(q.role)
	have, isARN := regions.ParseARN(got)
	if isRole && isARN && have.Partition == want.Partition && have.Service == "sts" && have.Region == "" && have.Account == want.Account {
		path := strings.Split(have.Resource, "/")
		name := q.role[strings.LastIndexByte(q.role, '/')+1:]
		if len(path) == 3 && path[0] == "assumed-role" && strings.EqualFold(path[1], name) && path[2] == q.session {
			return nil
		}
	}
	return q.unproven("STS returned a session of %s, and %s was to be assumed as %s; ask another STS in Role.STS", quotedARN(got), quotedARN(q.role), quotedARN(q.session))
}

func (q question) unproven(format string, args ...any) error {
	return refuse(q.op, refusal.Auth, format, args...)
}

// quotedARN repeats what can be the ARN of a session.
func quotedARN(s string) string {
	if len(s) > 256 || strings.ContainsFunc(s, func(r rune) bool { return !IsNameRune(r) && r != ':' && r != '/' }) {
		return "(no ARN)"
	}
	return strconv.Quote(s)
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// proofStep proves the sessions of the default chain, a profile's role and a web
// identity's.
type proofStep struct{ op string }

func (proofStep) ID() string { return "securebedrock:session" }

func (s proofStep) HandleInitialize(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (
	middleware.InitializeOutput, middleware.Metadata, error,
) {
	out, metadata, err := next.HandleInitialize(ctx, in)
	if err != nil {
		return out, metadata, err
	}
	switch asked := in.Parameters.(type) {
	case *sts.AssumeRoleInput:
		got, _ := out.Result.(*sts.AssumeRoleOutput)
		if got == nil { // as STS with an empty answer
			got = new(sts.AssumeRoleOutput)
		}
		err = askedOf(asked).prove(got.AssumedRoleUser, got.Credentials, time.Now())
	case *sts.AssumeRoleWithWebIdentityInput:
		got, _ := out.Result.(*sts.AssumeRoleWithWebIdentityOutput)
		if got == nil {
			got = new(sts.AssumeRoleWithWebIdentityOutput)
		}
		err = question{s.op, aws.ToString(asked.RoleArn), aws.ToString(asked.RoleSessionName), asked.DurationSeconds}.
			prove(got.AssumedRoleUser, got.Credentials, time.Now())
	}
	if err != nil {
		out.Result = nil
	}
	return out, metadata, err
}
