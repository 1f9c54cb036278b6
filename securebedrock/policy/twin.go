package policy

import (
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// AsIdentity turns a service control policy into an identity policy that denies the same
// to the roles and users it is attached to. It is for an account without an organisation.
//
// An SCP binds the whole account, its root included. An identity policy binds who has it,
// and whoever may detach it is not bound at all.
func AsIdentity(scp Document) (Document, error) {
	if err := deniesOnly(scp); err != nil {
		return Document{}, err
	}
	d := scp.Clone()
	d.Kind = KindManaged
	d.Name = twinName(scp.Name)
	d.Attach = "every role and user that reaches Bedrock; the account has no organisation whose SCP would bind all of them. A role takes ten managed policies; where it has no room, the document boundary says the same as all deny- documents in one"
	return d, nil
}

// AsBoundary joins service control policies into one permissions boundary, since a role
// has one boundary at most. A boundary permits only what it allows, so that the document
// allows everything and denies what the SCPs deny. It grants nothing by itself.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
func AsBoundary(scps ...Document) (Document, error) {
	boundary := Document{
		Name:   "boundary",
		Kind:   KindBoundary,
		Attach: "as the permissions boundary of every role and user that reaches Bedrock; a boundary that is there already needs these Deny statements added",
		Statements: []Statement{{
			Sid:      "AllowTheRest",
			Effect:   Allow,
			Action:   []string{"*"},
			Resource: []string{"*"},
		}},
	}
	var purposes, mirrors []string
	for _, scp := range scps {
		if err := deniesOnly(scp); err != nil {
			return Document{}, err
		}
		boundary.Statements = append(boundary.Statements, scp.Clone().Statements...)
		purposes = append(purposes, scp.Purpose)
		if scp.Mirrors != "" {
			mirrors = append(mirrors, scp.Mirrors)
		}
	}
	boundary.Purpose = "Grants nothing, and denies what an organisation's SCPs would. " + strings.Join(purposes, " ")
	boundary.Mirrors = strings.Join(mirrors, ", ")
	return boundary, nil
}

// deniesOnly refuses a document whose Allow statements would grant something once it is an
// identity policy.
func deniesOnly(scp Document) error {
	if scp.Kind != KindSCP {
		return refusal.Fault("Document.Kind", "%s is not a service control policy; give a document of kind %s", refusal.Quoted(string(scp.Kind)), KindSCP)
	}
	for i := range scp.Statements {
		if scp.Statements[i].Effect != Deny {
			return refusal.Fault("Document.Statements", "statement %s allows, which means something else in an identity policy; give Deny statements only", refusal.Quoted(scp.Statements[i].Sid))
		}
	}
	return nil
}

// twinName of "scp-regions" is "deny-regions".
func twinName(scp string) string { return "deny-" + strings.TrimPrefix(scp, "scp-") }

// denials are the constructors of the service control policies, in the order of the index
// page.
func denials() []builder {
	return []builder{DenyRegions, RequireGuardrail, DenyAPIKeys, guardedRoutes, PinRetention, DenyChanges}
}

// guardedRoutes denies the agent actions, too, unless the Spec says that they are in
// use. A knowledge base that is only searched needs none of them.
func guardedRoutes(s *Spec) ([]Document, error) {
	r := s.acct.Resources
	used := len(s.acct.ExceptPrincipals) > 0 || len(r.Agents) > 0 || r.RetrieveAndGenerate != ""
	return DenyUnguardedRoutes(s, !used)
}

// placed makes the documents of one denial as the account can attach them: an SCP
// where the account has an organisation, an identity policy otherwise.
func placed(scp builder) builder {
	return func(s *Spec) ([]Document, error) {
		docs, err := scp(s)
		if err != nil || s.acct.Organization != "" {
			return docs, err
		}
		var twins []Document
		for _, d := range docs {
			twin, err := AsIdentity(d)
			if err != nil {
				return nil, err
			}
			parts, err := fit(twin)
			if err != nil {
				return nil, err
			}
			twins = append(twins, parts...)
		}
		return twins, nil
	}
}

// Boundary is the permissions boundary of an account without an organisation: all service
// control policies in one. It is attached to roles and users. An account with an
// organisation needs none.
func Boundary(s *Spec) ([]Document, error) {
	if s.acct.Organization != "" {
		return nil, nil
	}
	var scps []Document
	for _, scp := range denials() {
		docs, err := scp(s)
		if err != nil {
			return nil, err
		}
		scps = append(scps, docs...)
	}
	boundary, err := AsBoundary(scps...)
	if err != nil {
		return nil, err
	}
	return fit(boundary)
}
