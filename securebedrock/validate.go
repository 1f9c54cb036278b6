package securebedrock

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// check reports every fault at once. Each wraps ErrConfig and names its field.
func (o *Options) check() error {
	var faults []error
	fault := func(field, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: %s: "+format, append([]any{ErrConfig, field}, args...)...))
	}
	switch {
	case o.Region == "":
		fault("Region", "it is required")
	case !isRegion(o.Region):
		fault("Region", "%q is not the name of a region", o.Region)
	}
	for _, r := range o.Residency {
		if r != anywhere && !isRegion(r) {
			fault("Residency", "%q is neither the name of a region nor \"*\"; for a geography give Geography(%q)", r, r)
		}
	}
	if isRegion(o.Region) || o.Endpoint.URL != "" {
		_, err := newEndpoint(o.Region, o.Endpoint)
		faults = append(faults, err)
	}
	faults = append(faults, o.checkGuardrail()...)
	for _, p := range o.Models {
		if p == "" || strings.TrimSpace(p) != p {
			fault("Models", "%q matches no model identifier", p)
		}
	}
	if o.Role != nil {
		faults = append(faults, o.Role.check(o.Region))
		if api := o.Role.STS; api != nil && isNil(api) {
			fault("Role.STS", "it is a nil %T; leave it out for the STS endpoint of Region", api)
		}
	}
	if o.Retry.MaxAttempts < 0 {
		fault("Retry.MaxAttempts", "%d is negative; 1 sends once", o.Retry.MaxAttempts)
	}
	for i, m := range o.Middleware {
		if m == nil {
			fault("Middleware", "number %d is nil", i+1)
		}
	}
	ops := operations(nil)
	for _, name := range sortedKeys(o.UnguardedOperations) {
		op := ops[name]
		switch {
		case op == nil:
			fault("UnguardedOperations", "%q is not an operation of Bedrock Runtime", name)
		case op.guarded || !op.infers:
			fault("UnguardedOperations", "%s needs no reason: it carries the guardrail or runs no model", name)
		case strings.TrimSpace(o.UnguardedOperations[name]) == "":
			fault("UnguardedOperations", "%s has no reason", name)
		}
	}
	return errors.Join(faults...)
}

func (o *Options) checkGuardrail() []error {
	var faults []error
	fault := func(field, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: %s: "+format, append([]any{ErrConfig, field}, args...)...))
	}
	r := o.Guardrail
	if o.Unguarded != "" {
		if strings.TrimSpace(o.Unguarded) == "" {
			fault("Unguarded", "the reason is blank")
		}
		if r != (Guardrail{}) {
			fault("Unguarded", "it excludes Guardrail; leave one of them out")
		}
		return faults
	}
	switch {
	case r.ID == "":
		fault("Guardrail.ID", "it is required, unless Unguarded says why there is none")
	case strings.HasPrefix(r.ID, "arn:"):
		if err := checkGuardrailARN(r.ID, o.Region); err != "" {
			fault("Guardrail.ID", "%s", err)
		}
	case !isGuardrailID(r.ID):
		fault("Guardrail.ID", "%q is neither a guardrail's identifier (a-z and 0-9) nor its ARN", r.ID)
	}
	switch {
	case r.Version == "DRAFT" && !r.AllowDraft:
		fault("Guardrail.Version", "DRAFT changes with every edit; name a published version, or set AllowDraft")
	case r.Version != "DRAFT" && !isVersion(r.Version):
		fault("Guardrail.Version", "%q is not a published version, \"1\" to \"99999999\"", r.Version)
	}
	if r.Trace != "" && !slices.Contains(r.Trace.Values(), r.Trace) {
		fault("Guardrail.Trace", "%q is none of %v", r.Trace, r.Trace.Values())
	}
	if r.Stream != "" && !slices.Contains(r.Stream.Values(), r.Stream) {
		fault("Guardrail.Stream", "%q is none of %v", r.Stream, r.Stream.Values())
	}
	if r.Verify && r.Trace == types.GuardrailTraceDisabled {
		fault("Guardrail.Verify", "the proof is in the trace, and Guardrail.Trace is disabled")
	}
	return faults
}

// isRegion accepts what can be a region's name: words of letters, then a number.
func isRegion(s string) bool {
	words := strings.Split(s, "-")
	if len(words) < 3 || len(s) > 32 {
		return false
	}
	last := words[len(words)-1]
	if last == "" || strings.Trim(last, "0123456789") != "" {
		return false
	}
	for _, w := range words[:len(words)-1] {
		if w == "" || strings.ContainsFunc(w, func(r rune) bool { return r < 'a' || r > 'z' }) {
			return false
		}
	}
	return true
}

// isGuardrailID and isVersion follow the patterns of guardrailIdentifier and
// guardrailVersion (API_runtime_ApplyGuardrail).
func isGuardrailID(s string) bool {
	return s != "" && len(s) <= 2048 && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9')
	})
}

func isVersion(s string) bool {
	return s != "" && len(s) <= 8 && s[0] != '0' && strings.Trim(s, "0123456789") == ""
}

func checkGuardrailARN(arn, region string) (fault string) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "bedrock" || !isAccount(parts[4]) {
		return fmt.Sprintf("%q is not the ARN of a guardrail", arn)
	}
	id, ok := strings.CutPrefix(parts[5], "guardrail/")
	switch {
	case !ok || !isGuardrailID(id):
		return fmt.Sprintf("%q is not the ARN of a guardrail", arn)
	case parts[3] != region:
		return fmt.Sprintf("the guardrail is of %s and Region is %s; a guardrail is called in its own region", parts[3], region)
	case parts[1] != partitionOf(region):
		return fmt.Sprintf("the guardrail is of partition %s and Region is in %s", parts[1], partitionOf(region))
	}
	return ""
}
