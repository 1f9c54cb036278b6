package securebedrock

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
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
		fault("Region", "%s is not the name of a region", quoted(o.Region))
	}
	for _, r := range o.Residency {
		if why := residencyFault(r); why != "" {
			fault("Residency", "%s", why)
		}
	}
	for _, a := range o.Accounts {
		if !isAccount(a) {
			fault("Accounts", "%s is not an account's twelve digits", quoted(a))
		}
	}
	if r := reflect.ValueOf(o.Profiles); (r.Kind() == reflect.Pointer || r.Kind() == reflect.Func) && r.IsNil() { // a nil map may well resolve
		fault("Profiles", "it holds a nil %T; leave Profiles nil for the built-in table", o.Profiles)
	}
	if isRegion(o.Region) || o.Endpoint.URL != "" {
		_, err := newEndpoint(o.Region, o.Endpoint)
		faults = append(faults, err)
	}
	faults = append(faults, o.checkGuardrail()...)
	for _, p := range o.Models {
		if p == "" || strings.TrimSpace(p) != p {
			fault("Models", "%s matches no model identifier", quoted(p))
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
	if o.Retry.MaxWait < 0 {
		fault("Retry.MaxWait", "%v is negative; 1ns hardly waits", o.Retry.MaxWait)
	}
	if o.Retry.MaxBackoff < 0 {
		fault("Retry.MaxBackoff", "%v is negative; 1ns hardly waits", o.Retry.MaxBackoff)
	}
	for i, m := range o.Middleware {
		if m == nil {
			fault("Middleware", "number %d is nil", i+1)
		}
	}
	ops := operations()
	for _, name := range sortedKeys(o.UnguardedOperations) {
		op := ops[name]
		switch {
		case op == nil:
			fault("UnguardedOperations", "%s is not an operation of Bedrock Runtime", quotedWord(name))
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
		fault("Guardrail.ID", "%s is neither a guardrail's identifier (a-z and 0-9) nor its ARN", quoted(r.ID))
	}
	switch {
	case r.Version == "DRAFT" && !r.AllowDraft:
		fault("Guardrail.Version", "DRAFT changes with every edit; name a published version, or set AllowDraft")
	case r.Version != "DRAFT" && !isVersion(r.Version):
		fault("Guardrail.Version", "%s is not a published version, \"1\" to \"99999999\"", quoted(r.Version))
	}
	if r.Trace != "" && !slices.Contains(r.Trace.Values(), r.Trace) {
		fault("Guardrail.Trace", "%s is none of %v", quoted(string(r.Trace)), r.Trace.Values())
	}
	if r.Stream != "" && !slices.Contains(r.Stream.Values(), r.Stream) {
		fault("Guardrail.Stream", "%s is none of %v", quoted(string(r.Stream)), r.Stream.Values())
	}
	if r.Verify && r.Trace == types.GuardrailTraceDisabled {
		fault("Guardrail.Verify", "the proof is in the trace, and Guardrail.Trace is disabled")
	}
	return faults
}

// isRegion accepts the names of regions, by the SDK's own partition table.
func isRegion(s string) bool { return regions.Valid(s) }

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
	a, ok := regions.ParseARN(arn)
	id, isGuardrail := strings.CutPrefix(a.Resource, "guardrail/")
	switch {
	case !ok || a.Service != "bedrock" || !isAccount(a.Account) || !isGuardrail || !isGuardrailID(id):
		return quoted(arn) + " is not the ARN of a guardrail"
	case a.Region != region:
		return fmt.Sprintf("the guardrail is of %s and Region is %s; a guardrail is called in its own region", quoted(a.Region), quoted(region))
	case a.Partition != partitionOf(region):
		return fmt.Sprintf("the guardrail is of partition %s and Region is in %s", quoted(a.Partition), partitionOf(region))
	}
	return ""
}

// quotedWord repeats what can be the name of an operation, mistyped.
func quotedWord(s string) string {
	if len(s) > 64 || strings.ContainsFunc(s, func(r rune) bool { return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') }) {
		return quoted(s)
	}
	return strconv.Quote(s)
}
