package policy

import (
	"maps"
	"net/url"
	"slices"
	"strings"
)

// DenyChanges denies changes to what watches over the client: the invocation logging, the
// guardrail, the enforced configuration and, where their names are known, the VPC
// endpoints and the trail. It is attached to the account or to its organisational unit,
// once all of that is set up. The client has no such rule.
//
// Account.Administrators are spared. Without any, nobody in the account can change
// these things, root included, until the document is detached; Purpose says so.
//
// The actions on the logging and on the enforced configuration take no resource, so that they are denied in every
// region. The endpoint in Options.Endpoint.URL is known from its host. ModifyVpcEndpoint has
// no condition key for the service's name; an endpoint is protected by its ID alone.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock.html
func DenyChanges(s *Spec) ([]Document, error) {
	kept := []string{"the invocation logging", "the enforced guardrail configuration"}
	statements := []Statement{
		{
			Sid:      "KeepLogging",
			Action:   []string{"bedrock:DeleteModelInvocationLoggingConfiguration", "bedrock:PutModelInvocationLoggingConfiguration"},
			Resource: []string{"*"},
		},
		{
			Sid:      "KeepEnforcedGuardrail",
			Action:   []string{"bedrock:DeleteEnforcedGuardrailConfiguration", "bedrock:PutEnforcedGuardrailConfiguration"},
			Resource: []string{"*"},
		},
	}
	if s.guardrail != "" {
		kept = append(kept, "the guardrail")
		statements = append(statements, Statement{
			Sid: "KeepGuardrail",
			Action: []string{
				"bedrock:CreateGuardrailVersion", "bedrock:DeleteGuardrail", "bedrock:DeleteResourcePolicy", "bedrock:PutResourcePolicy",
				"bedrock:TagResource", "bedrock:UntagResource", "bedrock:UpdateGuardrail",
			},
			Resource: []string{s.guardrail},
		})
	}
	if endpoints := s.endpointARNs(); len(endpoints) > 0 {
		kept = append(kept, "the VPC endpoints")
		statements = append(statements, Statement{
			Sid:      "KeepEndpoints",
			Action:   []string{"ec2:DeleteVpcEndpoints", "ec2:ModifyVpcEndpoint"},
			Resource: endpoints,
		})
	}
	if t := s.acct.Resources.Trail; t.Name != "" {
		kept = append(kept, "the trail")
		statements = append(statements, Statement{
			Sid:      "KeepTrail",
			Action:   []string{"cloudtrail:DeleteTrail", "cloudtrail:PutEventSelectors", "cloudtrail:StopLogging", "cloudtrail:UpdateTrail"},
			Resource: []string{s.trailARN(s.trailRegion())},
		})
	}
	administrators := slices.Sorted(maps.Keys(s.acct.Administrators))
	for i := range statements {
		statements[i].Effect = Deny
		if len(administrators) > 0 {
			statements[i].Condition = when("ArnNotEquals", keyPrincipal, administrators...)
		}
	}
	last := len(kept) - 1
	purpose := "Denies changes to " + strings.Join(kept[:last], ", ") + " and " + kept[last]
	if len(administrators) > 0 {
		purpose += ". Spared: " + reasons(s.acct.Administrators) + "."
	} else {
		purpose += ". Nobody is spared, since Account.Administrators are empty: to change anything, detach this document first."
	}
	return denial("scp-changes", purpose, "", statements...)
}

// endpointARNs are the ARNs of the known VPC endpoints: of Account.Resources, and the one
// that is in the host of Options.Endpoint.URL.
func (s *Spec) endpointARNs() []string {
	ids := slices.Clone(s.acct.Resources.Endpoints)
	if u, err := url.Parse(s.opts.Endpoint.URL); err == nil {
		if id := endpointID(u.Hostname()); id != "" {
			ids = append(ids, id)
		}
	}
	for i, id := range ids {
		ids[i] = s.serviceARN("ec2", s.region, "vpc-endpoint/"+id)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// endpointID finds "vpce-0123abcd" in a host such as
// "vpce-0123abcd-xyz.bedrock-runtime.eu-central-1.vpce.amazonaws.com".
func endpointID(host string) string {
	label, _, _ := strings.Cut(host, ".")
	parts := strings.Split(label, "-")
	if len(parts) < 3 || parts[0] != "vpce" || !isEndpoint("vpce-"+parts[1]) {
		return ""
	}
	return "vpce-" + parts[1]
}
