package policy

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// Request is one authorization that AWS makes. A call of a client can need several:
// Explain lists them.
type Request struct {
	// Principal is the ARN of the IAM role or user, or of the account's root, that
	// makes the request. A session of a role is named by the role's ARN, as in
	// aws:PrincipalArn. Decide derives aws:PrincipalArn and aws:PrincipalAccount.
	Principal string
	// Action is one action, such as "bedrock:InvokeModel".
	Action string
	// Resource is the ARN of one resource, or "*" for an action without a resource type.
	Resource string
	// Context are the request's condition keys. A key without values is absent.
	Context map[string][]string
	// ThroughEndpoint says that the request comes through the VPC endpoint whose policy
	// is among the documents.
	ThroughEndpoint bool
}

// read checks the request.
func (r Request) read() (*facts, error) {
	f := &facts{action: r.Action, resource: r.Resource, principal: r.Principal, keys: make([]conditionKey, 0, len(r.Context)+2)}
	p, ok := regions.ParseARN(r.Principal)
	kind, _, _ := strings.Cut(p.Resource, "/")
	switch {
	case !ok || strings.ContainsAny(r.Principal, "*?"):
		return nil, badRequest("Principal", r.Principal, "is no ARN of a principal; name the role or the user by its ARN")
	case p.Service == "sts":
		return nil, badRequest("Principal", r.Principal, "is a session, which does not tell the role's path; name the role by its ARN")
	case p.Service != "iam" || !regions.IsAccount(p.Account) || kind != "role" && kind != "user" && p.Resource != "root":
		return nil, badRequest("Principal", r.Principal, "is neither a role, a user nor the root of an account; name one by its ARN")
	}
	f.account = p.Account
	f.serviceLinked = strings.HasPrefix(p.Resource, "role/aws-service-role/")
	if fault := actionFault(r.Action); fault != "" || strings.ContainsAny(r.Action, "*?") {
		return nil, badRequest("Action", r.Action, "is not one action; name one, such as bedrock:InvokeModel")
	}
	if _, ok := splitARN(r.Resource); r.Resource != "*" && (!ok || strings.ContainsAny(r.Resource, "*?")) {
		return nil, badRequest("Resource", r.Resource, `is not the ARN of one resource; "*" stands for an action without a resource type`)
	}
	f.keys = append(f.keys, conditionKey{keyPrincipal, []string{r.Principal}}, conditionKey{keyAccount, []string{p.Account}})
	for key, values := range r.Context {
		if !isConditionKey(key) {
			return nil, badRequest("Context", key, "is no condition key; name one with its prefix, such as aws:RequestedRegion")
		}
		switch known := f.values(key); {
		case len(values) == 0: // absent
		case known == nil:
			f.keys = append(f.keys, conditionKey{key, values})
		case !slices.Equal(known, values):
			return nil, badRequest("Context", key, "has two values; leave out aws:PrincipalArn and aws:PrincipalAccount, which Principal tells, and name each other key once")
		}
	}
	return f, nil
}

// describe names the request in a sentence, with the condition keys in their order.
func (r Request) describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s on %s", r.Action, r.Resource)
	for i, key := range slices.Sorted(maps.Keys(r.Context)) {
		word := " and "
		if i == 0 {
			word = " with "
		}
		fmt.Fprintf(&b, "%s%s %s", word, key, strings.Join(r.Context[key], ", "))
	}
	return b.String()
}

func badRequest(field, value, fault string) error {
	return fmt.Errorf("%w: Request.%s %s %s", ErrUnsupported, field, refusal.Quoted(value), fault)
}
