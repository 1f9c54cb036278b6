package stsapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// constraint is what STS's API reference says of a parameter
// (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html).
type constraint struct {
	name     string
	value    *string
	required bool
	min, max int
	pattern  string
}

func (c constraint) check() error {
	broken := func(value, what string) error {
		return invalid("1 validation error detected: Value %sat '%s' failed to satisfy constraint: %s", value, c.name, what)
	}
	if c.value == nil {
		if c.required {
			return broken("null ", "Member must not be null")
		}
		return nil
	}
	value := "'" + *c.value + "' "
	if len(*c.value) < c.min {
		return broken(value, fmt.Sprintf("Member must have length greater than or equal to %d", c.min))
	}
	if len(*c.value) > c.max {
		return broken(value, fmt.Sprintf("Member must have length less than or equal to %d", c.max))
	}
	if c.pattern != "" && !regexp.MustCompile(`^(?:`+c.pattern+`)$`).MatchString(*c.value) {
		return broken(value, "Member must satisfy regular expression pattern: "+c.pattern)
	}
	return nil
}

const (
	namePattern = `[\w+=,.@-]*`
	tagPattern  = `[\p{L}\p{Z}\p{N}_.:/=+\-@]*`
	maxTags     = 50
)

// invalid is STS's refusal of a request.
func invalid(format string, args ...any) error {
	return &wire.Error{Status: http.StatusBadRequest, Code: "ValidationError", Message: fmt.Sprintf(format, args...)}
}

func checkAll(constraints []constraint) error {
	for _, c := range constraints {
		if err := c.check(); err != nil {
			return err
		}
	}
	return nil
}

func checkSession(arn, name, policy *string, seconds *int32) error {
	if err := checkAll([]constraint{
		{"roleArn", arn, true, 20, 2048, ""},
		{"roleSessionName", name, true, 2, 64, namePattern},
		{"policy", policy, false, 1, 2048, ""},
	}); err != nil {
		return err
	}
	if !regexp.MustCompile(`^arn:aws[\w-]*:iam::\d{12}:role/.+$`).MatchString(*arn) {
		return invalid("%s is invalid", *arn)
	}
	if seconds != nil && *seconds < 900 {
		return invalid("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900", *seconds)
	}
	if seconds != nil && *seconds > 43200 {
		return invalid("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200", *seconds)
	}
	if policy != nil && !json.Valid([]byte(*policy)) {
		return &wire.Error{Status: http.StatusBadRequest, Code: "MalformedPolicyDocument", Message: "Syntax errors in policy."}
	}
	return nil
}

func checkAssumeRole(in *sts.AssumeRoleInput, chained bool) error {
	if err := checkSession(in.RoleArn, in.RoleSessionName, in.Policy, in.DurationSeconds); err != nil {
		return err
	}
	if chained && in.DurationSeconds != nil && *in.DurationSeconds > 3600 {
		return invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	constraints := []constraint{
		{"externalId", in.ExternalId, false, 2, 1224, `[\w+=,.@:\/-]*`},
		{"sourceIdentity", in.SourceIdentity, false, 2, 64, namePattern},
	}
	keys := make(map[string]bool)
	for i, tag := range in.Tags {
		constraints = append(constraints,
			constraint{fmt.Sprintf("tags.%d.member.key", i+1), tag.Key, true, 1, 128, tagPattern},
			constraint{fmt.Sprintf("tags.%d.member.value", i+1), tag.Value, true, 0, 256, tagPattern})
		if folded := strings.ToLower(aws.ToString(tag.Key)); keys[folded] {
			return &wire.Error{Status: http.StatusBadRequest, Code: "InvalidParameterValue", Message: "Duplicate tag keys found. Please note that Tag keys are case insensitive."}
		} else {
			keys[folded] = true
		}
	}
	if len(in.Tags) > maxTags || len(in.TransitiveTagKeys) > maxTags {
		return invalid("1 validation error detected: Value at 'tags' failed to satisfy constraint: Member must have length less than or equal to %d", maxTags)
	}
	for _, key := range in.TransitiveTagKeys {
		if !keys[strings.ToLower(key)] {
			return &wire.Error{Status: http.StatusBadRequest, Code: "InvalidParameterValue", Message: "The specified transitive tag key must be included in the requested tags."}
		}
	}
	return checkAll(constraints)
}

func checkWebIdentity(in *sts.AssumeRoleWithWebIdentityInput) error {
	if err := checkSession(in.RoleArn, in.RoleSessionName, in.Policy, in.DurationSeconds); err != nil {
		return err
	}
	return constraint{"webIdentityToken", in.WebIdentityToken, true, 4, 20000, ""}.check()
}
