package session

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// defaultDuration is an hour, the longest that STS grants a chained role (IAM User
// Guide, "Roles terms and concepts", role chaining).
const defaultDuration = time.Hour

// Role says which role a session is of, and how it is limited. What is empty is left
// out of the request.
type Role struct {
	ARN, Name, ExternalID, SourceIdentity string
	Duration                              time.Duration // zero: an hour
	Tags                                  map[string]string
	TransitiveTagKeys                     []string
	Policy                                string
}

// Session returns a session of the role, which is assumed through api when the first
// call asks. renewBase drops the credentials that ask STS, where STS calls them
// expired, and reports whether there may be others; nil where they are not ours.
func (r Role) Session(api stscreds.AssumeRoleAPIClient, renewBase func(context.Context) bool) *Session {
	return newSession(func(ctx context.Context) (*Assumed, error) {
		proven := &provenSTS{AssumeRoleAPIClient: api}
		credentials, err := stscreds.NewAssumeRoleProvider(proven, r.ARN, r.options).Retrieve(ctx)
		return &Assumed{credentials, proven.principal}, err
	}, renewBase)
}

func (r Role) options(o *stscreds.AssumeRoleOptions) {
	o.RoleSessionName = r.Name
	o.Duration = r.Duration
	if o.Duration == 0 {
		o.Duration = defaultDuration
	}
	o.ExternalID = optional(r.ExternalID)
	o.SourceIdentity = optional(r.SourceIdentity)
	o.Policy = optional(r.Policy)
	for _, k := range slices.Sorted(maps.Keys(r.Tags)) {
		o.Tags = append(o.Tags, ststypes.Tag{Key: aws.String(k), Value: aws.String(r.Tags[k])})
	}
	o.TransitiveTagKeys = slices.Clone(r.TransitiveTagKeys)
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// provenSTS proves what an STS client answers, and takes note of the session's ARN,
// which the SDK's provider drops.
type provenSTS struct {
	stscreds.AssumeRoleAPIClient
	principal string
}

// AssumeRole implements stscreds.AssumeRoleAPIClient.
func (p *provenSTS) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, optFns ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	out, err := p.AssumeRoleAPIClient.AssumeRole(ctx, in, append(slices.Clip(optFns), func(o *sts.Options) {
		o.APIOptions = append(slices.Clip(o.APIOptions), boundSTS)
	})...)
	if err != nil {
		return nil, err
	}
	if out == nil {
		return nil, askedOf(in).unproven("STS returned nothing; ask another STS in Role.STS")
	}
	if err := askedOf(in).prove(out.AssumedRoleUser, out.Credentials, time.Now()); err != nil {
		return nil, err
	}
	if out.AssumedRoleUser != nil {
		p.principal = aws.ToString(out.AssumedRoleUser.Arn)
	}
	return out, nil
}

// RegionalSTS is an STS client whose endpoint is the region's own: neither
// AWS_ENDPOINT_URL_STS nor AWS_STS_REGIONAL_ENDPOINTS nor a service override in the
// configuration moves it. It signs with base and sends through client.
func RegionalSTS(place Place, base aws.CredentialsProvider, client aws.HTTPClient, logger logging.Logger) (*sts.Client, error) {
	if _, err := stsHost(place); err != nil {
		return nil, err
	}
	gate := &Gate{Place: place, Client: client}
	return sts.New(sts.Options{
		Region:             place.Region,
		Credentials:        base,
		HTTPClient:         pinned.Refusing{Refuse: roundTheGate},
		APIOptions:         []func(*middleware.Stack) error{gate.Install},
		AuthSchemeResolver: pinned.NewSigV4[sts.AuthResolverParameters]("sts", place.Region, nil),
		Logger:             logger,
	}), nil
}
