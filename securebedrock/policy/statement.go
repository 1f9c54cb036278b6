package policy

import (
	"fmt"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// applies says whether the statement concerns the request and its conditions hold. The
// error wraps ErrUnsupported. A statement that is not understood is an error whatever the
// request.
func (s *Statement) applies(d *Document, index int, f *facts) (bool, error) {
	fault := s.fault(d.Kind)
	if fault == "" {
		var fits bool
		if fits, fault = s.fits(d, f); fault == "" {
			if !fits {
				return false, nil
			}
			var holds bool
			if holds, fault = s.conditionsHold(f); fault == "" {
				return holds, nil
			}
		}
	}
	return false, fmt.Errorf("%w: %s: %s", ErrUnsupported, statementName(d, index), fault)
}

// fault says what of the statement is not understood; empty for nothing. Every part is
// looked at.
func (s *Statement) fault(kind Kind) string {
	switch {
	case s.Effect != Allow && s.Effect != Deny:
		return fmt.Sprintf("Effect %s is neither Allow nor Deny", refusal.Quoted(string(s.Effect)))
	case (len(s.Action) == 0) == (len(s.NotAction) == 0):
		return "one of Action and NotAction is needed"
	case (len(s.Resource) == 0) == (len(s.NotResource) == 0):
		return "one of Resource and NotResource is needed"
	case s.NotPrincipal != nil:
		return "NotPrincipal is not evaluated"
	case kind == KindEndpoint && s.Principal == nil:
		return "Principal is needed in an endpoint's policy"
	case kind != KindEndpoint && s.Principal != nil:
		return fmt.Sprintf("a policy of kind %s has no Principal", kind)
	}
	for _, entries := range [2][]string{s.Action, s.NotAction} {
		for _, entry := range entries {
			if fault := actionFault(entry); fault != "" {
				return fmt.Sprintf("action %s %s", refusal.Quoted(entry), fault)
			}
		}
	}
	for _, entries := range [2][]string{s.Resource, s.NotResource} {
		for _, entry := range entries {
			if fault := resourceFault(kind, entry); fault != "" {
				return fmt.Sprintf("resource %s %s", refusal.Quoted(entry), fault)
			}
		}
	}
	if s.Principal != nil {
		if fault := s.Principal.fault(); fault != "" {
			return fault
		}
	}
	return s.Condition.fault()
}

// fault says what of the conditions is not understood. Of several, the smallest text
// is returned, since the order of a map differs each time.
func (c Condition) fault() string {
	var least string
	for name, keys := range c {
		op, ok := readOperator(name)
		if !ok {
			least = smaller(least, fmt.Sprintf("operator %s is unknown", refusal.QuotedWord(name)))
			continue
		}
		for key, values := range keys {
			if !isConditionKey(key) {
				least = smaller(least, fmt.Sprintf("%s: %s is no condition key", name, refusal.Quoted(key)))
			}
			if len(values) == 0 {
				least = smaller(least, fmt.Sprintf("%s %s has no value", name, key))
			}
			for _, v := range values {
				if fault := op.valueFault(v); fault != "" {
					least = smaller(least, fmt.Sprintf("%s %s: value %s %s", name, key, refusal.Quoted(v), fault))
				}
			}
		}
	}
	return least
}

// smaller returns the smaller of two faults; an empty one is none.
func smaller(a, b string) string {
	if a == "" || b < a {
		return b
	}
	return a
}

// fits says whether action, resource and principal of the request are the statement's.
func (s *Statement) fits(d *Document, f *facts) (bool, string) {
	if s.Principal != nil && !s.Principal.is(f) {
		return false, ""
	}
	if len(s.Action) > 0 && !matchesAction(s.Action, f.action) || matchesAction(s.NotAction, f.action) {
		return false, ""
	}
	entries, wanted := s.Resource, true
	if len(s.NotResource) > 0 {
		entries, wanted = s.NotResource, false
	}
	matched := false
	for _, entry := range entries {
		pattern, ok, fault := f.expand(entry, true)
		switch {
		case fault != "":
			return false, fmt.Sprintf("resource %s %s", refusal.Quoted(entry), fault)
		case !ok: // an entry without a value matches no resource
			continue
		}
		switch matchResource(pattern, f.resource) {
		case matchYes:
			matched = true
		case matchUnclear:
			return false, fmt.Sprintf("resource %s has a wildcard that may or may not match over a colon", refusal.Quoted(entry))
		}
	}
	return matched == wanted, ""
}

func matchesAction(entries []string, action string) bool {
	for _, entry := range entries {
		if entry == "*" || glob(entry, action, true) {
			return true
		}
	}
	return false
}

// conditionsHold evaluates all conditions, so that what is not understood is an error
// also where another condition does not hold.
func (s *Statement) conditionsHold(f *facts) (yes bool, fault string) {
	yes = true
	for name, keys := range s.Condition {
		op, _ := readOperator(name)
		for key, values := range keys {
			held, why := op.holds(values, f.values(key), f)
			if why != "" {
				fault = smaller(fault, fmt.Sprintf("%s %s %s", name, key, why))
			}
			yes = yes && held
		}
	}
	return yes && fault == "", fault
}

// fault says what of an endpoint's Principal is not understood.
func (p *Principal) fault() string {
	if len(p.Service)+len(p.Federated)+len(p.CanonicalUser) > 0 {
		return "Principal names a service, an identity provider or a canonical user"
	}
	if !p.Any && len(p.AWS) == 0 {
		return "Principal is empty"
	}
	for _, entry := range p.AWS {
		if entry == "*" || regions.IsAccount(entry) {
			continue
		}
		a, ok := regions.ParseARN(entry)
		kind, _, _ := strings.Cut(a.Resource, "/")
		if !ok || a.Service != "iam" || !regions.IsAccount(a.Account) || strings.ContainsAny(entry, "*?$") ||
			kind != "role" && kind != "user" && a.Resource != "root" {
			return fmt.Sprintf("principal %s is neither *, an account, a role nor a user", refusal.Quoted(entry))
		}
	}
	return ""
}

// is says whether the request's principal is among those of the element. The root of an
// account stands for all of the account's principals.
func (p *Principal) is(f *facts) bool {
	if p.Any {
		return true
	}
	for _, entry := range p.AWS {
		if entry == "*" || entry == f.account || entry == f.principal {
			return true
		}
		if account, ok := strings.CutSuffix(entry, ":root"); ok && strings.HasSuffix(account, ":"+f.account) {
			return true
		}
	}
	return false
}

// statementName names a statement by its Sid, or by its number.
func statementName(d *Document, index int) string {
	if sid := d.Statements[index].Sid; sid != "" {
		return sid + " of " + d.Name
	}
	return fmt.Sprintf("statement %d of %s", index+1, d.Name)
}
