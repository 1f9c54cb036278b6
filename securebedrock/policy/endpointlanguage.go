package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// endpointLanguage reports what the language of VPC endpoint policies refuses and IAM's own
// language takes. Every fault is reported at once, each naming its statement.
//
// The rules are those of the AWS PrivateLink Guide, vpc-endpoints-access: a Principal in
// each statement; no wildcard and no numeric operator on a global key of a
// system-generated identifier; six consecutive characters before or after each wildcard in
// a string operator; an account in an ARN is an ID or a wildcard, and no mix of both.
func endpointLanguage(d *Document) error {
	var faults refusal.Faults
	for i := range d.Statements {
		st := &d.Statements[i]
		faults.Scope = "Document.Statements " + refusal.Quoted(st.Sid) + ": "
		if st.Principal == nil {
			faults.Add("Principal", "an endpoint policy needs one in each statement; use \"*\" with a condition on aws:PrincipalArn")
		}
		for _, arn := range slices.Concat(st.Resource, st.NotResource) {
			if mixesAccount(arn) {
				faults.Add("Resource", "%s has an account that is part ID and part wildcard; write the account's twelve digits, or \"*\"", refusal.Quoted(arn))
			}
		}
		for _, operator := range slices.Sorted(maps.Keys(st.Condition)) {
			for _, key := range slices.Sorted(maps.Keys(st.Condition[operator])) {
				endpointConditionFaults(operator, key, st.Condition[operator][key], &faults)
			}
		}
	}
	return faults.Err()
}

// endpointConditionFaults notes the faults of one key under one operator.
func endpointConditionFaults(operator, key string, values []string, faults *refusal.Faults) {
	base := operator
	if _, rest, ok := strings.Cut(base, ":"); ok { // ForAnyValue:, ForAllValues:
		base = rest
	}
	base = strings.TrimSuffix(base, "IfExists")
	system := isSystemIdentifier(key)
	if system && strings.HasPrefix(base, "Numeric") {
		faults.Add("Condition", "%s with %s: an endpoint policy has no numeric operator on a system-generated identifier; use StringEquals", refusal.Quoted(key), refusal.Quoted(operator))
	}
	for _, value := range values {
		switch {
		case system && strings.ContainsAny(value, "*?"):
			faults.Add("Condition", "%s has %s: an endpoint policy has no wildcard in a system-generated identifier; write the whole identifier", refusal.Quoted(key), refusal.Quoted(value))
		case strings.HasPrefix(base, "String") && !anchored(value):
			faults.Add("Condition", "%s has %s: an endpoint policy needs six consecutive characters before or after each wildcard in a string operator; write more of the value out", refusal.Quoted(key), refusal.Quoted(value))
		}
		if mixesAccount(value) {
			faults.Add("Condition", "%s has %s, whose account is part ID and part wildcard; write the account's twelve digits, or \"*\"", refusal.Quoted(key), refusal.Quoted(value))
		}
	}
}

// isSystemIdentifier knows the global keys whose value AWS generates. The PrivateLink Guide
// names aws:PrincipalAccount and aws:SourceVpc as examples; the others are read off the
// list of global keys (IAM User Guide, reference_policies_condition-keys), and that AWS
// refuses each of them is unverified.
func isSystemIdentifier(key string) bool {
	switch strings.ToLower(key) {
	case "aws:principalaccount", "aws:principalorgid", "aws:resourceaccount", "aws:resourceorgid", "aws:sourceaccount",
		"aws:sourceorgid", "aws:sourcevpc", "aws:sourcevpce", "aws:vpceaccount", "aws:vpceorgid", "aws:userid":
		return true
	}
	return false
}

// anchored reports whether each wildcard has six characters without a wildcard directly
// before or after it.
func anchored(value string) bool {
	rest := value
	for {
		at := strings.IndexAny(rest, "*?")
		if at < 0 {
			return true
		}
		before := at // since the last wildcard
		rest = rest[at+1:]
		after := strings.IndexAny(rest, "*?")
		if after < 0 {
			after = len(rest)
		}
		if before < 6 && after < 6 {
			return false
		}
	}
}

// mixesAccount reports an ARN whose account has a wildcard beside other characters.
func mixesAccount(arn string) bool {
	parts, ok := splitARN(arn)
	account := parts[4]
	return ok && strings.ContainsAny(account, "*?") && account != "*"
}
