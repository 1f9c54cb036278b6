package policy

import (
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// EndpointPolicy is the policy of the VPC endpoint com.amazonaws.REGION.SERVICE: what the
// client calls there, for the client's principals and nobody else. It is attached to the
// endpoint, and mirrors ErrEndpoint. An endpoint policy grants nothing: a call needs
// this policy and an identity policy.
//
// service is "bedrock-runtime", "bedrock", "bedrock-agent-runtime", "sts", "kms" or
// "logs". There is no document where the Spec calls nothing there: "sts" without
// Options.Role and Resources.OIDC, "kms" without a key, "bedrock-agent-runtime" without a
// knowledge base or an agent.
//
// An endpoint has one policy. What other programs need of a shared endpoint, such as the
// log driver of a container, has to be added before the policy is attached. So has the
// exchange of an identity provider's token where Resources.OIDC names none.
//
// The principals are named by aws:PrincipalArn under Principal "*", which gateway and
// interface endpoints both take. They are Options.Role and Resources.Callers; without
// Options.Role, the account's principals.
//
// A service without policy support lets everything through its endpoint;
// DescribeVpcEndpointServices tells.
// https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
func EndpointPolicy(s *Spec, service string) ([]Document, error) {
	var statements func(*Spec, shortness) []Statement
	var names []string
	for _, e := range endpointServices() {
		names = append(names, e.name)
		if e.name == service {
			statements = e.statements
		}
	}
	if statements == nil {
		return nil, refusal.Fault("service", "%s has no endpoint policy here; use one of %s", refusal.Quoted(service), strings.Join(names, ", "))
	}
	for short := spelledOut; ; short++ {
		d := Document{
			Name:       "endpoint-" + service,
			Kind:       KindEndpoint,
			Purpose:    "Lets the client's principals call on " + service + " what the client calls there, and nobody else anything.",
			Attach:     "the VPC endpoint " + s.endpointName(service) + ", where the client has it to itself: every other program behind it is shut out",
			Mirrors:    "ErrEndpoint",
			Statements: statements(s, short),
		}
		if len(d.Statements) == 0 {
			return nil, nil
		}
		for i := range d.Statements {
			d.Statements[i].Principal = &Principal{Any: true}
		}
		if err := endpointLanguage(&d); err != nil {
			return nil, err
		}
		docs, err := fit(d)
		if err == nil || short == shortProfiles {
			return docs, err
		}
	}
}

// endpointName is the name of the service that the endpoint is made for. Bedrock has
// FIPS endpoints of their own (Bedrock User Guide, vpc-interface-endpoints).
func (s *Spec) endpointName(service string) string {
	if s.opts.Endpoint.FIPS && (service == "bedrock" || service == "bedrock-runtime") {
		service += "-fips"
	}
	return "com.amazonaws." + s.region + "." + service
}

// endpointService is a service and what goes through its endpoint.
type endpointService struct {
	name       string
	statements func(*Spec, shortness) []Statement
}

func endpointServices() []endpointService {
	return []endpointService{
		{"bedrock-runtime", runtimeEndpoint},
		{"bedrock", controlEndpoint},
		{"bedrock-agent-runtime", agentEndpoint},
		{"sts", stsEndpoint},
		{"kms", kmsEndpoint},
		{"logs", logsEndpoint},
	}
}

// endpoints makes the policy of each endpoint.
func endpoints(s *Spec) ([]Document, error) {
	var all []Document
	for _, e := range endpointServices() {
		docs, err := EndpointPolicy(s, e.name)
		if err != nil {
			return nil, err
		}
		all = append(all, docs...)
	}
	return all, nil
}

// callers is the condition that only the client's principals meet. A request without
// credentials has neither key and does not meet it.
func (s *Spec) callers() Condition {
	if s.opts.Role == nil {
		return when("StringEquals", keyAccount, s.account)
	}
	return when("ArnEquals", keyPrincipal, s.callingPrincipals()...)
}

// runtimeEndpoint lets through what Invoke allows and, beyond it, every guardrail that can be
// enforced. A call under an enforced guardrail is authorized for ApplyGuardrail on that
// guardrail, too, and an endpoint that shuts it out stops every call
// (Bedrock User Guide, guardrails-enforcements). A leg of an inference profile passes the
// same endpoint, so that foundation models in Region alone would stop it.
func runtimeEndpoint(s *Spec, short shortness) []Statement {
	var list []Statement
	for _, st := range s.statements(s.models, short) {
		st = st.Clone()
		st.Action = slices.DeleteFunc(st.Action, func(action string) bool {
			name, ok := strings.CutPrefix(action, "bedrock:")
			return !ok || name == "ApplyGuardrail" || name == "GetInferenceProfile" || name == "GetPrompt" || name == "GetPromptRouter"
		})
		if len(st.Action) == 0 {
			continue
		}
		st.Condition = st.Condition.and(s.callers())
		list = append(list, st)
	}
	return append(list, Statement{
		Sid:       "ApplyEnforcedGuardrails",
		Effect:    Allow,
		Action:    []string{applyGuardrail},
		Resource:  s.enforceable(),
		Condition: s.callers(),
	})
}

// enforceable are the guardrails of Region that can be enforced: those of the account,
// and those of the organisation's management account. Where the latter is not known
// from Account.Enforced, the organisation's guardrail can be of any account.
func (s *Spec) enforceable() []string {
	accounts := []string{s.account}
	if s.acct.Organization != "" && len(s.acct.Enforced) == 0 {
		accounts = []string{"*"}
	}
	for _, e := range s.acct.Enforced {
		if arn, ok := regions.ParseARN(e.ARN); ok && !slices.Contains(accounts, arn.Account) {
			accounts = append(accounts, arn.Account)
		}
	}
	places := s.regions
	if s.anywhere {
		places = []string{regions.Anywhere}
	}
	var list []string
	for _, account := range accounts {
		list = append(list, s.arnOf("bedrock", s.region, account, "guardrail/*"))
		for _, place := range places {
			list = append(list, s.arnOf("bedrock", place, account, "guardrail-profile/*"))
		}
	}
	return list
}

// controlEndpoint lets Options.Profiles ask where profiles and prompt routers run. The
// answers name regions and no content.
func controlEndpoint(s *Spec, _ shortness) []Statement {
	return []Statement{{
		Sid:    "ResolveProfiles",
		Effect: Allow,
		Action: []string{"bedrock:GetInferenceProfile", "bedrock:GetPromptRouter"},
		Resource: []string{
			s.arn("application-inference-profile/*"), s.arn("default-prompt-router/*"), s.arn("inference-profile/*"), s.arn("prompt-router/*"),
		},
		Condition: s.callers(),
	}}
}

// agentEndpoint lets through the knowledge bases and agents of Account.Resources.
func agentEndpoint(s *Spec, _ shortness) []Statement {
	var list []Statement
	allow := func(sid, action string, resources ...string) {
		if len(resources) > 0 {
			list = append(list, Statement{Sid: sid, Effect: Allow, Action: []string{action}, Resource: resources, Condition: s.callers()})
		}
	}
	var bases, aliases []string
	for _, b := range s.acct.Resources.KnowledgeBases {
		if b.ID != "" {
			bases = append(bases, s.arn("knowledge-base/"+b.ID))
		}
	}
	for _, a := range s.acct.Resources.Agents {
		for _, alias := range a.Aliases {
			aliases = append(aliases, s.arn("agent-alias/"+a.ID+"/"+alias))
		}
	}
	allow("SearchKnowledgeBases", "bedrock:Retrieve", bases...)
	if s.acct.Resources.RetrieveAndGenerate != "" {
		allow("GenerateFromKnowledgeBases", "bedrock:RetrieveAndGenerate", "*") // takes no resource
	}
	allow("AskAgents", "bedrock:InvokeAgent", aliases...)
	return list
}

// stsEndpoint lets Options.Role be assumed. The caller of AssumeRole is not that role but
// whoever assumes it: Resources.Trusted, otherwise the organisation's principals,
// otherwise the account's. A token of an identity provider is exchanged without a signature, and
// such a request has no aws:PrincipalArn
// (IAM User Guide, reference_sts_vpc_endpoint_policies).
func stsEndpoint(s *Spec, _ shortness) []Statement {
	var list []Statement
	if role := s.opts.Role; role != nil {
		trusted := when("StringEquals", keyAccount, s.account)
		switch {
		case len(s.acct.Resources.Trusted) > 0:
			trusted = when("ArnEquals", keyPrincipal, s.acct.Resources.Trusted...)
		case s.acct.Organization != "":
			trusted = when("StringEquals", "aws:PrincipalOrgID", s.acct.Organization)
		}
		list = append(list, Statement{
			Sid:       "AssumeTheRole",
			Effect:    Allow,
			Action:    []string{"sts:AssumeRole", "sts:SetSourceIdentity", "sts:TagSession"},
			Resource:  []string{role.ARN},
			Condition: trusted,
		})
	}
	if len(s.acct.Resources.OIDC) > 0 {
		list = append(list, Statement{
			Sid:      "ExchangeTokens",
			Effect:   Allow,
			Action:   []string{"sts:AssumeRoleWithWebIdentity"},
			Resource: []string{s.serviceARN("iam", "", "role/*")},
		})
	}
	return list
}

// kmsEndpoint lets the client's principals use the keys of the guardrail, the custom models,
// the knowledge bases and the agents. What Bedrock asks of KMS in a caller's name does
// not pass the VPC. The keys of the logs and of the trail are none of the client's.
func kmsEndpoint(s *Spec, _ shortness) []Statement {
	r := s.acct.Resources
	keys := []string{r.GuardrailKey.ARN, r.ModelKey.ARN}
	for _, b := range r.KnowledgeBases {
		keys = append(keys, b.Key, b.BucketKey)
	}
	for _, a := range r.Agents {
		keys = append(keys, a.Key)
	}
	slices.Sort(keys)
	keys = slices.DeleteFunc(slices.Compact(keys), func(key string) bool { return key == "" })
	if len(keys) == 0 {
		return nil
	}
	return []Statement{{
		Sid:       "UseTheKeys",
		Effect:    Allow,
		Action:    []string{"kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"},
		Resource:  keys,
		Condition: s.callers(),
	}}
}

// logsEndpoint lets the client write its audit records into log groups of the account.
// The invocation logs are Bedrock's to write, from outside of the VPC, so that their group
// is denied to the client.
func logsEndpoint(s *Spec, _ shortness) []Statement {
	groups := s.serviceARN("logs", s.region, "log-group:")
	write := []string{"logs:CreateLogStream", "logs:PutLogEvents"}
	list := []Statement{{
		Sid:       "WriteRecords",
		Effect:    Allow,
		Action:    write,
		Resource:  []string{groups + "*"},
		Condition: s.callers(),
	}}
	if group := s.acct.Resources.Logs.Group; group != "" {
		list = append(list, Statement{
			Sid:      "KeepInvocationLogs",
			Effect:   Deny,
			Action:   slices.Clone(write),
			Resource: []string{groups + group + ":*"},
		})
	}
	return list
}
