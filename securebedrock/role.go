package securebedrock

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// defaultRoleDuration is an hour, the longest that STS grants a chained role
// (IAM User Guide, "Roles terms and concepts", role chaining).
const defaultRoleDuration = time.Hour

// newRoleCredentials assumes the role with base, when the first call asks.
func newRoleCredentials(r *Role, logger logging.Logger, region string, base aws.CredentialsProvider, client aws.HTTPClient, e Endpoint) (*roleSession, error) {
	api := r.STS
	if api == nil {
		var err error
		if api, err = regionalSTS(logger, region, base, client, e); err != nil {
			return nil, err
		}
	}
	name := r.sessionName()
	return newRoleSession(api, r.ARN, func(o *stscreds.AssumeRoleOptions) {
		o.RoleSessionName = name
		o.Duration = r.Duration
		if o.Duration == 0 {
			o.Duration = defaultRoleDuration
		}
		o.ExternalID = optional(r.ExternalID)
		o.SourceIdentity = optional(r.SourceIdentity)
		o.Policy = optional(r.Policy)
		for _, k := range sortedKeys(r.Tags) {
			o.Tags = append(o.Tags, ststypes.Tag{Key: aws.String(k), Value: aws.String(r.Tags[k])})
		}
		o.TransitiveTagKeys = slices.Clone(r.TransitiveTagKeys)
	}), nil
}

// sessionName is what AssumeRole is asked for.
func (r *Role) sessionName() string {
	if r.SessionName != "" {
		return r.SessionName
	}
	return defaultSessionName()
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// regionalSTS is an STS client whose endpoint is the region's own: neither
// AWS_ENDPOINT_URL_STS nor AWS_STS_REGIONAL_ENDPOINTS nor a service override in
// the configuration moves it.
func regionalSTS(logger logging.Logger, region string, base aws.CredentialsProvider, client aws.HTTPClient, e Endpoint) (*sts.Client, error) {
	if _, err := stsHost(region, e); err != nil {
		return nil, err
	}
	gate := &credentialGate{region: region, endpoint: e, do: client}
	return sts.New(sts.Options{
		Region:             region,
		Credentials:        base,
		HTTPClient:         pinned.Refusing{Refuse: roundTheGate},
		APIOptions:         []func(*middleware.Stack) error{gate.install},
		AuthSchemeResolver: pinned.NewSigV4[sts.AuthResolverParameters]("sts", region, nil),
		Logger:             logger,
	}), nil
}

func stsHost(region string, e Endpoint) (string, error) {
	resolved, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), sts.EndpointParameters{
		Region: &region, UseFIPS: &e.FIPS, UseDualStack: &e.DualStack, UseGlobalEndpoint: aws.Bool(false),
	})
	if err != nil {
		return "", fmt.Errorf("%w: Region: STS has no endpoint in %s: %w", ErrConfig, region, err)
	}
	return resolved.URI.Host, nil
}

// defaultSessionName tells in CloudTrail where a call came from.
func defaultSessionName() string {
	host := os.Getenv("AWS_LAMBDA_FUNCTION_NAME")
	if host == "" {
		host, _ = os.Hostname()
	}
	return cutSessionName("securebedrock-" + host)
}

// cutSessionName keeps to [\w+=,.@-]{2,64} (API_AssumeRole, RoleSessionName).
func cutSessionName(s string) string {
	s = strings.Map(func(r rune) rune {
		if isSessionRune(r) {
			return r
		}
		return '-'
	}, s)
	return strings.TrimRight(s[:min(len(s), 64)], "-")
}

func isSessionRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_+=,.@-", r)
}

// check reports what STS would refuse (API_AssumeRole).
func (r *Role) check(region string) error {
	var faults []error
	fault := func(field, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: Role.%s: "+format, append([]any{ErrConfig, field}, args...)...))
	}
	arn, ok := regions.ParseARN(r.ARN)
	switch name, isRole := strings.CutPrefix(arn.Resource, "role/"); {
	case !ok || arn.Service != "iam" || arn.Region != "" || !regions.IsAccount(arn.Account) || !isRole || name == "":
		fault("ARN", "%q is not the ARN of an IAM role", r.ARN)
	case arn.Partition != regions.PartitionOf(region):
		fault("ARN", "it is of partition %s and Region is in %s", arn.Partition, regions.PartitionOf(region))
	}
	word := func(field, s string, low, high int, extra string) {
		if s == "" {
			return
		}
		if len(s) < low || len(s) > high || strings.ContainsFunc(s, func(c rune) bool { return !isSessionRune(c) && !strings.ContainsRune(extra, c) }) {
			fault(field, "it must be %d to %d characters of A-Z a-z 0-9 _ + = , . @ -%s", low, high, extra)
		}
	}
	word("SessionName", r.SessionName, 2, 64, "")
	word("ExternalID", r.ExternalID, 2, 1224, ":/")
	word("SourceIdentity", r.SourceIdentity, 2, 64, "")
	if d := r.Duration; d != 0 && (d < 15*time.Minute || d > 12*time.Hour) {
		fault("Duration", "%v is not between 15m and 12h", d)
	}
	if len(r.Tags) > 50 {
		fault("Tags", "there are %d and STS takes 50", len(r.Tags))
	}
	seen := make(map[string]string)
	for _, k := range sortedKeys(r.Tags) {
		if twin, ok := seen[strings.ToLower(k)]; ok {
			fault("Tags", "keys %q and %q differ only in case, which STS refuses", twin, k)
		}
		seen[strings.ToLower(k)] = k
		if k == "" || len([]rune(k)) > 128 || len([]rune(r.Tags[k])) > 256 {
			fault("Tags", "key %q or its value is empty or too long (128 and 256 characters)", k)
		}
	}
	for _, k := range r.TransitiveTagKeys {
		if _, ok := r.Tags[k]; !ok {
			fault("TransitiveTagKeys", "%q is not a key of Tags", k)
		}
	}
	if r.Policy != "" {
		if len(r.Policy) > 2048 {
			fault("Policy", "it has %d characters and STS takes 2048", len(r.Policy))
		}
		if !json.Valid([]byte(r.Policy)) {
			fault("Policy", "it is not JSON")
		}
	}
	return errors.Join(faults...)
}
