package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/iamdata"
)

// resources finds actions and resources that do not belong together.
func (l *linter) resources(s *Statement) {
	if s.Resource == nil || slices.ContainsFunc(s.Resource, func(r string) bool { return strings.Trim(r, "*") == "" }) {
		return
	}
	clean, all := true, true
	taken := make(typeSet)
	for _, pattern := range s.Action {
		actions, known := actionsOf(pattern)
		if !known {
			all = false // the table cannot tell what the action takes
			continue
		}
		types := typesOf(actions...)
		maps.Copy(taken, types)
		switch {
		case len(types) == 0:
			clean = false
			l.add(RuleNoResourceType, `put the action into a statement of its own with "Resource": "*"`,
				"%s takes no resource type, and an ARN never matches it, so that it is not %s", quotedName(pattern), participle(s.Effect))
		case !slices.ContainsFunc(s.Resource, types.take):
			clean = false
			l.add(RuleResourceType, "name a resource of such a type", "%s takes %s, and no resource of the statement is one, so that it is not %s",
				quotedName(pattern), strings.Join(slices.Sorted(maps.Keys(types)), ", "), participle(s.Effect))
		}
	}
	if !clean || !all {
		return
	}
	for _, r := range s.Resource {
		// Outside of Bedrock, a list often has the resource and what is within it.
		if parts, ok := splitARN(r); ok && strings.HasPrefix(parts[2], "bedrock") && !taken.take(r) {
			l.add(RuleResourceType, "take the resource out, or name an action that takes it", "%s is of a type that no action of the statement takes", quotedName(r))
		}
	}
}

// typeSet maps a resource type to the form of its ARNs.
type typeSet map[string]string

// typesOf returns the resource types that actions take.
func typesOf(actions ...string) typeSet {
	set := make(typeSet)
	forms := make(map[string]map[string]string)
	for _, action := range actions {
		service, _, _ := strings.Cut(action, ":")
		if forms[service] == nil {
			forms[service] = iamdata.ARNs(service)
		}
		types, _ := iamdata.ResourceTypes(action)
		for _, t := range types {
			set[t] = forms[service][t]
		}
	}
	return set
}

// take reports whether a pattern of Resource can match a resource of one of the types.
func (t typeSet) take(pattern string) bool {
	for name, form := range t {
		if meets(pattern, form) || name == "foundation-model" && meets(pattern, regionless) {
			return true
		}
	}
	return false
}

// regionless is the foundation model behind a global inference profile, which is not in
// the Service Authorization Reference (UG global-cross-region-inference).
const regionless = "arn:${Partition}:bedrock:::foundation-model/${ResourceId}"

// shapes finds ARNs of Bedrock that no resource has. Such an ARN matches nothing.
func (l *linter) shapes(s *Statement) {
	for _, arn := range slices.Concat(s.Resource, s.NotResource) {
		l.shape(arn)
	}
	for _, t := range s.Condition.tests() {
		isARN := strings.HasPrefix(strings.ToLower(t.key), "bedrock") && (isGuardrailKey(t.key) || strings.HasSuffix(strings.ToLower(t.key), "arn"))
		if !isARN || t.op.family == null {
			continue
		}
		for _, value := range t.values {
			l.shape(value)
			if t.op.family == stringEquals && strings.ContainsAny(withoutVariables(value), "*?") {
				l.add(RuleLiteralWildcard, "use ArnLike or ArnNotLike", "%s compares texts, so that a wildcard in %s stands for itself", t.operator, quotedName(value))
			}
		}
	}
}

func (l *linter) shape(arn string) {
	parts, ok := splitARN(arn)
	if !ok || !strings.HasPrefix(parts[2], "bedrock") || !iamdata.Known(parts[2]) {
		return
	}
	if typeSet(iamdata.ARNs(parts[2])).take(arn) {
		return
	}
	region, account, resource := parts[3], parts[4], parts[5]
	kind, _, _ := strings.Cut(resource, "/")
	switch {
	case kind == "foundation-model" && account != "":
		l.add(RuleARN, "leave the account empty: arn:aws:bedrock:REGION::foundation-model/ID", "%s names an account, and a foundation model has none", quotedName(arn))
	case region == "":
		l.add(RuleARN, "name the region, or write * for it", "%s names no region", quotedName(arn))
	case account == "":
		l.add(RuleARN, "name the account, also for a system inference profile: arn:aws:bedrock:REGION:ACCOUNT:inference-profile/ID", "%s names no account, and a resource of type %s has one", quotedName(arn), quotedName(kind))
	default:
		l.add(RuleARN, "look the resource type up in AWS's Service Authorization Reference", "%s is of no resource type", quotedName(arn))
	}
}
