package policycases

// What is asked of every configuration: the calls that run no model, the routes to a
// model that the client does not take, and changes to what watches over the client.

// arn is the ARN of a resource of the account in a region.
func (p place) arn(service, region, resource string) string {
	return "arn:aws:" + service + ":" + region + ":" + AccountID + ":" + resource
}

// beside are the client's calls that run no model, and calls that are nobody's here.
func (p place) beside() []Case {
	guard := p.arn("bedrock", p.region, "guardrail/"+GuardrailID)
	rows := []Case{
		{Name: "the pinned guardrail applied by itself", Request: ask("bedrock:ApplyGuardrail", guard, p.region), Want: "AAAA AAAAAA"},
		{Name: "the pinned guardrail applied by another principal", Request: by(p.other(), ask("bedrock:ApplyGuardrail", guard, p.region)), Want: "AAAD AAAAAA"},
		// The endpoint lets every guardrail pass that could be enforced.
		{Name: "another guardrail applied", Request: ask("bedrock:ApplyGuardrail", p.arn("bedrock", p.region, "guardrail/lax000000000"), p.region), Want: "DDDA AAAAAA"},
		{Name: "the guardrail of another region applied", Request: ask("bedrock:ApplyGuardrail", p.arn("bedrock", p.away, "guardrail/"+GuardrailID), p.away), Want: "DDDD DAAAAA"},
		{Name: "guardrail checks", Request: ask("bedrock:InvokeGuardrailChecks", "*", p.region), Want: "AAAA AAAAAA"},
		{Name: "guardrail checks by another principal", Request: by(p.other(), ask("bedrock:InvokeGuardrailChecks", "*", p.region)), Want: "AAAD AAAAAA"},
		{Name: "guardrail checks in another region", Request: ask("bedrock:InvokeGuardrailChecks", "*", p.away), Want: "DDDD DAAAAA"},
		{Name: "tokens counted of a model that may not be called", Request: ask("bedrock:CountTokens", model(p.region, OtherModel), p.region), Want: "ADDD AAAAAA"},
		{Name: "tokens counted in another region", Request: ask("bedrock:CountTokens", model(p.away, Haiku), p.away), Want: "DDDD DAAAAA"},
		{Name: "an invocation asked for, where nothing may start one", Request: ask("bedrock:GetAsyncInvoke", p.arn("bedrock", p.region, "async-invoke/a1b2c3d4e5f6"), p.region), Want: "DDDD AAAAAA"},
		{Name: "invocations listed, where nothing may start one", Request: ask("bedrock:ListAsyncInvokes", "*", p.region), Want: "DDDD AAAAAA"},
		{Name: "invocations listed in another region", Request: ask("bedrock:ListAsyncInvokes", "*", p.away), Want: "DDDD DAAAAA"},
		{Name: "models listed", Request: ask("bedrock:ListFoundationModels", "*", p.region), Want: "DDDD AAAAAA"},
		{Name: "another service", Request: ask("s3:GetObject", "arn:aws:s3:::documents/a.txt", p.away), Want: "DDDD AAAAAA"},
	}
	if p.unguarded { // the client lets any guardrail of the account be applied
		rows[2].Want = "AAAA AAAAAA"
	}
	if p.any {
		rows[7].Name, rows[7].Want = "tokens counted of any model", "AAAA AAAAAA"
	}
	if p.direct != "" {
		rows = append(rows,
			Case{Name: "tokens counted of an allowed model", Request: ask("bedrock:CountTokens", model(p.region, p.direct), p.region), Want: "AAAA AAAAAA"},
			Case{Name: "tokens counted by another principal", Request: by(p.other(), ask("bedrock:CountTokens", model(p.region, p.direct), p.region)), Want: "AAAD AAAAAA"})
	}
	if p.async {
		rows[9].Name, rows[9].Want = "an invocation asked for", "AAAA AAAAAA"
		rows[10].Name, rows[10].Want = "invocations listed", "AAAA AAAAAA"
		rows = append(rows,
			Case{Name: "an invocation asked for by another principal", Request: by(p.other(), ask("bedrock:GetAsyncInvoke", p.arn("bedrock", p.region, "async-invoke/a1b2c3d4e5f6"), p.region)), Want: "AAAD AAAAAA"},
			Case{Name: "invocations listed by another principal", Request: by(p.other(), ask("bedrock:ListAsyncInvokes", "*", p.region)), Want: "AAAD AAAAAA"})
	}
	return rows
}

// routes are the ways to a model that the client does not take.
func (p place) routes() []Case {
	const credential = "iam:ServiceSpecificCredentialServiceName"
	project := func(region string) string { return p.arn("bedrock-mantle", region, "project/default") }
	user := "arn:aws:iam::" + AccountID + ":user/developer"
	agents := "DDDD AAADAA"
	if p.agents {
		agents = "DDDD AAAAAA"
	}
	return []Case{
		{Name: "a bearer token", Request: ask("bedrock:CallWithBearerToken", "*", p.region, "bedrock:BearerTokenType", "SHORT_TERM"), Want: "DDDD AADAAA"},
		{Name: "a long-term bearer token", Request: ask("bedrock:CallWithBearerToken", "*", p.region, "bedrock:BearerTokenType", "LONG_TERM"), Want: "DDDD AADAAA"},
		{Name: "a bearer token on Mantle", Request: ask("bedrock-mantle:CallWithBearerToken", "*", p.region), Want: "DDDD AADAAA"},
		{Name: "a bearer token in another region", Request: ask("bedrock:CallWithBearerToken", "*", p.away), Want: "DDDD DADAAA"},
		{Name: "a long-term key made", Request: ask("iam:CreateServiceSpecificCredential", user, p.region, credential, "bedrock.amazonaws.com"), Want: "DDDD AADAAA"},
		{Name: "a long-term key reset", Request: ask("iam:ResetServiceSpecificCredential", user, p.region, credential, "bedrock.amazonaws.com"), Want: "DDDD AADAAA"},
		{Name: "a key of another service made", Request: ask("iam:CreateServiceSpecificCredential", user, p.region, credential, "codecommit.amazonaws.com"), Want: "DDDD AAAAAA"},
		{Name: "a long-term key deleted", Request: ask("iam:DeleteServiceSpecificCredential", user, p.region, credential, "bedrock.amazonaws.com"), Want: "DDDD AAAAAA"},
		{Name: "inference on Mantle", Request: ask("bedrock-mantle:CreateInference", project(p.region), p.region), Want: "DDDD AAADAA"},
		{Name: "inference on Mantle in another region", Request: ask("bedrock-mantle:CreateInference", project(p.away), p.away), Want: "DDDD DAADAA"},
		{Name: "a Mantle project read", Request: ask("bedrock-mantle:GetProject", project(p.region), p.region), Want: "DDDD AAAAAA"},
		{Name: "a Mantle project read in another region", Request: ask("bedrock-mantle:GetProject", project(p.away), p.away), Want: "DDDD DAAAAA"},
		{Name: "a batch job", Request: ask("bedrock:CreateModelInvocationJob", model(p.region, Haiku), p.region), Want: "DDDD AAADAA"},
		{Name: "a batch job in another region", Request: ask("bedrock:CreateModelInvocationJob", model(p.away, Haiku), p.away), Want: "DDDD DAADAA"},
		{Name: "an agent", Request: ask("bedrock:InvokeAgent", p.arn("bedrock", p.region, "agent-alias/AGENT12345/ALIAS12345"), p.region), Want: agents},
		{Name: "an inline agent", Request: ask("bedrock:InvokeInlineAgent", "*", p.region), Want: agents},
		{Name: "a flow", Request: ask("bedrock:InvokeFlow", p.arn("bedrock", p.region, "flow/FLOW123456/alias/ALIAS12345"), p.region), Want: agents},
		{Name: "generation from a knowledge base", Request: ask("bedrock:RetrieveAndGenerate", "*", p.region), Want: agents},
		{Name: "retrieval, which generates nothing", Request: ask("bedrock:Retrieve", p.arn("bedrock", p.region, "knowledge-base/KB12345678"), p.region), Want: "DDDD AAAAAA"},
		{Name: "an agent core runtime in another region", Request: ask("bedrock-agentcore:InvokeAgentRuntime", p.arn("bedrock-agentcore", p.away, "runtime/agent-a1b2c3d4e5"), p.away), Want: "DDDD DAAAAA"},
	}
}

// retention is the data retention: "none" alone is permitted.
func (p place) retention() []Case {
	const mode, mantle = "bedrock:DataRetentionMode", "bedrock-mantle:DataRetentionMode"
	project := p.arn("bedrock-mantle", p.region, "project/p1q2r3s4")
	return []Case{
		{Name: "retention set to none", Request: ask("bedrock:PutAccountDataRetention", "*", p.region, mode, "none"), Want: "DDDD AAAAAA"},
		{Name: "retention set to default", Request: ask("bedrock:PutAccountDataRetention", "*", p.region, mode, "default"), Want: "DDDD AAAADA"},
		{Name: "retention set to provider_data_share", Request: ask("bedrock:PutAccountDataRetention", "*", p.region, mode, "provider_data_share"), Want: "DDDD AAAADA"},
		{Name: "retention set without a mode", Request: ask("bedrock:PutAccountDataRetention", "*", p.region), Want: "DDDD AAAADA"},
		{Name: "Mantle's retention set to none", Request: ask("bedrock-mantle:PutAccountDataRetention", "*", p.region, mantle, "none"), Want: "DDDD AAAAAA"},
		{Name: "Mantle's retention set to aws_review", Request: ask("bedrock-mantle:PutAccountDataRetention", "*", p.region, mantle, "aws_review"), Want: "DDDD AAAADA"},
		{Name: "Mantle's retention set without a mode", Request: ask("bedrock-mantle:PutAccountDataRetention", "*", p.region), Want: "DDDD AAAADA"},
		{Name: "a Mantle project that retains nothing", Request: ask("bedrock-mantle:CreateProject", project, p.region, mantle, "none"), Want: "DDDD AAAAAA"},
		{Name: "a Mantle project that shares with the provider", Request: ask("bedrock-mantle:CreateProject", project, p.region, mantle, "provider_data_share"), Want: "DDDD AAAADA"},
		{Name: "a Mantle project that names no mode and defers to the account", Request: ask("bedrock-mantle:CreateProject", project, p.region), Want: "DDDD AAAAAA"},
		{Name: "a Mantle project that inherits", Request: ask("bedrock-mantle:UpdateProject", project, p.region, mantle, "inherit"), Want: "DDDD AAAAAA"},
		{Name: "a Mantle project changed to the default", Request: ask("bedrock-mantle:UpdateProject", project, p.region, mantle, "default"), Want: "DDDD AAAADA"},
	}
}

// changes are changes to what watches over the client.
func (p place) changes() []Case {
	guard := p.arn("bedrock", p.region, "guardrail/"+GuardrailID)
	loosened := "DDDD AAAAAD"
	if p.unguarded { // no guardrail is the client's
		loosened = "DDDD AAAAAA"
	}
	return []Case{
		{Name: "logging deleted", Request: ask("bedrock:DeleteModelInvocationLoggingConfiguration", "*", p.region), Want: "DDDD AAAAAD"},
		{Name: "logging replaced in another region", Request: ask("bedrock:PutModelInvocationLoggingConfiguration", "*", p.away), Want: "DDDD DAAAAD"},
		{Name: "logging read", Request: ask("bedrock:GetModelInvocationLoggingConfiguration", "*", p.region), Want: "DDDD AAAAAA"},
		{Name: "the enforced guardrail deleted", Request: ask("bedrock:DeleteEnforcedGuardrailConfiguration", "*", p.region), Want: "DDDD AAAAAD"},
		{Name: "the enforced guardrail replaced", Request: ask("bedrock:PutEnforcedGuardrailConfiguration", "*", p.region), Want: "DDDD AAAAAD"},
		{Name: "the guardrail loosened", Request: ask("bedrock:UpdateGuardrail", guard, p.region), Want: loosened},
		{Name: "the guardrail deleted", Request: ask("bedrock:DeleteGuardrail", guard, p.region), Want: loosened},
		{Name: "a version of the guardrail made", Request: ask("bedrock:CreateGuardrailVersion", guard, p.region), Want: loosened},
		{Name: "another guardrail deleted", Request: ask("bedrock:DeleteGuardrail", p.arn("bedrock", p.region, "guardrail/other0000000"), p.region), Want: "DDDD AAAAAA"},
		{Name: "the guardrail read", Request: ask("bedrock:GetGuardrail", guard, p.region), Want: "DDDD AAAAAA"},
	}
}

// other is a role that is not the client's.
func (p place) other() string {
	if p.partition != "" {
		return OtherGovRole
	}
	return OtherRole
}

// others are the documents that are no column: the VPC endpoints of the services beside
// the runtime, and the guardrail's reader.
func (p place) others() []Case {
	const organization = "aws:PrincipalOrgID"
	role := Role
	if p.role != "" {
		role = p.role
	}
	eu := p.arn("bedrock", p.region, "inference-profile/eu."+Sonnet)
	logs := p.arn("logs", p.region, "log-group:audit:log-stream:app")
	assume := func(role string, pairs ...string) Request {
		return by(p.other(), ask("sts:AssumeRole", role, p.region, pairs...))
	}
	rows := []Case{
		{Name: "a profile resolved", Only: "endpoint-bedrock", Request: ask("bedrock:GetInferenceProfile", eu, p.region), Want: "A"},
		{Name: "a profile resolved by another principal", Only: "endpoint-bedrock", Request: by(p.other(), ask("bedrock:GetInferenceProfile", eu, p.region)), Want: "D"},
		{Name: "the guardrail deleted", Only: "endpoint-bedrock", Request: ask("bedrock:DeleteGuardrail", p.arn("bedrock", p.region, "guardrail/"+GuardrailID), p.region), Want: "D"},
		{Name: "a record written", Only: "endpoint-logs", Request: ask("logs:PutLogEvents", logs, p.region), Want: "A"},
		{Name: "a record written by another principal", Only: "endpoint-logs", Request: by(p.other(), ask("logs:PutLogEvents", logs, p.region)), Want: "D"},
		{Name: "records deleted", Only: "endpoint-logs", Request: ask("logs:DeleteLogStream", logs, p.region), Want: "D"},
		{Name: "the role assumed by a principal of the organisation", Only: "endpoint-sts", Request: assume(role, organization, Organization), Want: "A"},
		{Name: "another role assumed", Only: "endpoint-sts", Request: assume(p.other(), organization, Organization), Want: "D"},
	}
	if !p.unguarded {
		const reader = "guardrail-reader"
		rows = append(rows,
			Case{Name: "the guardrail read", Only: reader, Request: ask("bedrock:GetGuardrail", p.arn("bedrock", p.region, "guardrail/"+GuardrailID), p.region), Want: "A"},
			Case{Name: "another guardrail read", Only: reader, Request: ask("bedrock:GetGuardrail", p.arn("bedrock", p.region, "guardrail/lax000000000"), p.region), Want: "D"},
			Case{Name: "the guardrail deleted", Only: reader, Request: ask("bedrock:DeleteGuardrail", p.arn("bedrock", p.region, "guardrail/"+GuardrailID), p.region), Want: "D"},
			Case{Name: "guardrails listed", Only: reader, Request: ask("bedrock:ListGuardrails", "*", p.region), Want: "A"},
			Case{Name: "guardrails listed in another region", Only: reader, Request: ask("bedrock:ListGuardrails", "*", p.away), Want: "D"})
	}
	if p.config == Standalone {
		return append(rows, Case{Name: "the role assumed by a principal of another account", Only: "endpoint-sts", Request: by("arn:aws:iam::"+OtherAccount+":role/stranger", ask("sts:AssumeRole", role, p.region)), Want: "D"})
	}
	return append(rows,
		Case{Name: "the role assumed by a principal of another organisation", Only: "endpoint-sts", Request: assume(role, organization, "o-z9y8x7w6v5"), Want: "D"},
		Case{Name: "the role assumed by a principal of no organisation", Only: "endpoint-sts", Request: assume(role), Want: "D"})
}
