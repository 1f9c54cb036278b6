package securebedrock

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// check notes every fault. The endpoint is settle's to check, which computes it.
func (o *Options) check(faults *refusal.Faults) {
	switch {
	case o.Region == "":
		faults.Add("Region", "it is required")
	case !regions.Valid(o.Region):
		faults.Add("Region", "%s is not the name of a region", refusal.Quoted(o.Region))
	}
	for _, r := range o.Residency {
		if why := residencyFault(r); why != "" {
			faults.Add("Residency", "%s", why)
		}
	}
	for _, a := range o.Accounts {
		if !regions.IsAccount(a) {
			faults.Add("Accounts", "%s is not an account's twelve digits", refusal.Quoted(a))
		}
	}
	if r := reflect.ValueOf(o.Profiles); (r.Kind() == reflect.Pointer || r.Kind() == reflect.Func) && r.IsNil() { // a nil map may well resolve
		faults.Add("Profiles", "it holds a nil %T; leave Profiles nil for the built-in table", o.Profiles)
	}
	o.checkGuardrail(faults)
	for _, p := range o.Models {
		if p == "" || strings.TrimSpace(p) != p {
			faults.Add("Models", "%s matches no model identifier", refusal.Quoted(p))
		}
	}
	if o.Role != nil {
		o.Role.check(o.Region, faults)
		if api := o.Role.STS; api != nil && foreign.IsNil(api) {
			faults.Add("Role.STS", "it is a nil %T; leave it out for the STS endpoint of Region", api)
		}
	}
	if o.Retry.MaxAttempts < 0 {
		faults.Add("Retry.MaxAttempts", "%d is negative; 1 sends once", o.Retry.MaxAttempts)
	}
	if o.Retry.MaxWait < 0 {
		faults.Add("Retry.MaxWait", "%v is negative; 1ns hardly waits", o.Retry.MaxWait)
	}
	if o.Retry.MaxBackoff < 0 {
		faults.Add("Retry.MaxBackoff", "%v is negative; 1ns hardly waits", o.Retry.MaxBackoff)
	}
	for i, m := range o.Middleware {
		if m == nil {
			faults.Add("Middleware", "number %d is nil", i+1)
		}
	}
	ops := operations()
	for _, name := range slices.Sorted(maps.Keys(o.UnguardedOperations)) {
		op := ops[name]
		switch {
		case op == nil:
			faults.Add("UnguardedOperations", "%s is not an operation of Bedrock Runtime", refusal.QuotedWord(name))
		case op.guarded || !op.infers:
			faults.Add("UnguardedOperations", "%s needs no reason: it carries the guardrail or runs no model", name)
		case strings.TrimSpace(o.UnguardedOperations[name]) == "":
			faults.Add("UnguardedOperations", "%s has no reason", name)
		}
	}
}

func (o *Options) checkGuardrail(faults *refusal.Faults) {
	r := o.Guardrail
	if o.Unguarded != "" {
		if strings.TrimSpace(o.Unguarded) == "" {
			faults.Add("Unguarded", "the reason is blank")
		}
		if r != (Guardrail{}) {
			faults.Add("Unguarded", "it excludes Guardrail; leave one of them out")
		}
		return
	}
	switch {
	case r.ID == "":
		faults.Add("Guardrail.ID", "%w: name the guardrail, or give the reason for having none in Unguarded", ErrGuardrailRequired)
	case strings.HasPrefix(r.ID, "arn:"):
		if err := checkGuardrailARN(r.ID, o.Region); err != "" {
			faults.Add("Guardrail.ID", "%s", err)
		}
	case !isGuardrailID(r.ID):
		faults.Add("Guardrail.ID", "%s is neither a guardrail's identifier (a-z and 0-9) nor its ARN", refusal.Quoted(r.ID))
	}
	switch {
	case r.Version == "DRAFT" && !r.AllowDraft:
		faults.Add("Guardrail.Version", "DRAFT changes with every edit; name a published version, or set AllowDraft")
	case r.Version != "DRAFT" && !isVersion(r.Version):
		faults.Add("Guardrail.Version", "%s is not a published version, \"1\" to \"99999999\"", refusal.Quoted(r.Version))
	}
	if r.Trace != "" && !slices.Contains(r.Trace.Values(), r.Trace) {
		faults.Add("Guardrail.Trace", "%s is not valid; use one of %v", refusal.Quoted(string(r.Trace)), r.Trace.Values())
	}
	if r.Stream != "" && !slices.Contains(r.Stream.Values(), r.Stream) {
		faults.Add("Guardrail.Stream", "%s is not valid; use one of %v", refusal.Quoted(string(r.Stream)), r.Stream.Values())
	}
	if r.Verify && r.Trace == types.GuardrailTraceDisabled {
		faults.Add("Guardrail.Verify", "the proof is in the trace, and Guardrail.Trace is disabled")
	}
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
	a, ok := regions.ParseARN(arn)
	id, isGuardrail := strings.CutPrefix(a.Resource, "guardrail/")
	switch {
	case !ok || a.Service != "bedrock" || !regions.IsAccount(a.Account) || !isGuardrail || !isGuardrailID(id):
		return refusal.Quoted(arn) + " is not the ARN of a guardrail"
	case a.Region != region:
		return fmt.Sprintf("the guardrail is of %s and Region is %s; a guardrail is called in its own region", refusal.Quoted(a.Region), refusal.Quoted(region))
	case a.Partition != regions.PartitionOf(region):
		return fmt.Sprintf("the guardrail is of partition %s and Region is in %s", refusal.Quoted(a.Partition), regions.PartitionOf(region))
	}
	return ""
}
