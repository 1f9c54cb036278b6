package policycases

// Two models of one region. The embedding model takes no guardrail.
func oneRegionCases() []Case {
	return table(OneRegion,
		Case{Name: "an allowed model with the guardrail", Request: ask(invoke, model(home, Haiku), home, key, version1), Want: "AAAA AAAAAA"},
		Case{Name: "the same through the endpoint", Request: through(ask(invoke, model(home, Haiku), home, key, version1)), Want: "AAAA AAAAAA"},
		Case{Name: "streamed", Request: ask(stream, model(home, Haiku), home, key, version1), Want: "AAAA AAAAAA"},
		Case{Name: "streamed through the endpoint", Request: through(ask(stream, model(home, Haiku), home, key, version1)), Want: "AAAA AAAAAA"},
		Case{Name: "without a guardrail, as a bidirectional or asynchronous call is", Request: ask(invoke, model(home, Haiku), home), Want: "DDDA ADAAAA"},
		Case{Name: "streamed without a guardrail", Request: ask(stream, model(home, Haiku), home), Want: "DDDA ADAAAA"},
		Case{Name: "another version of the guardrail", Request: ask(invoke, model(home, Haiku), home, key, version2), Want: "DDDA ADAAAA"},
		Case{Name: "the guardrail's draft, which has no suffix", Request: ask(invoke, model(home, Haiku), home, key, pinned), Want: "DDDA ADAAAA"},
		Case{Name: "a lax guardrail of the account", Request: ask(invoke, model(home, Haiku), home, key, lax), Want: "DDDA ADAAAA"},
		Case{Name: "a lax guardrail, streamed", Request: ask(stream, model(home, Haiku), home, key, lax), Want: "DDDA ADAAAA"},
		Case{Name: "the guardrail of another account", Request: ask(invoke, model(home, Haiku), home, key, foreign), Want: "DDDA ADAAAA"},
		Case{Name: "the embedding model without a guardrail", Request: ask(invoke, model(home, Embedding), home), Want: "AAAA AAAAAA"},
		Case{Name: "the embedding model streamed without a guardrail", Request: ask(stream, model(home, Embedding), home), Want: "AAAA AAAAAA"},
		Case{Name: "the embedding model with the guardrail, as the client calls it", Request: ask(invoke, model(home, Embedding), home, key, version1), Want: "AAAA AAAAAA"},
		Case{Name: "another model with the guardrail", Request: ask(invoke, model(home, OtherModel), home, key, version1), Want: "ADDA AAAAAA"},
		Case{Name: "a model whose ID only begins like an allowed one", Request: ask(invoke, model(home, Haiku+"-next"), home, key, version1), Want: "ADDA AAAAAA"},
		Case{Name: "an allowed model in another region", Request: ask(invoke, model("us-east-1", Haiku), "us-east-1", key, version1), Want: "DDDA DAAAAA"},
		Case{Name: "an allowed model streamed in another region", Request: ask(stream, model("us-east-1", Haiku), "us-east-1", key, version1), Want: "DDDA DAAAAA"},
		Case{Name: "the embedding model in another region", Request: ask(invoke, model("us-east-1", Embedding), "us-east-1"), Want: "DDDA DAAAAA"},
		Case{Name: "an eu profile, which leaves the region", Request: ask(invoke, system(home, AccountID, "eu."+Haiku), home, key, version1), Want: "DDDA AAAAAA"},
		Case{Name: "an allowed model as the home leg of an eu profile", Request: ask(invoke, model(home, Haiku), home, key, version1, profile, system(home, AccountID, "eu."+Haiku)), Want: "AAAA AAAAAA"},
		Case{Name: "an eu profile's leg in another region", Request: ask(invoke, model("eu-west-1", Haiku), "eu-west-1", key, version1, profile, system(home, AccountID, "eu."+Haiku)), Want: "DDDA DAAAAA"},
		Case{Name: "a provisioned model", Request: ask(invoke, "arn:aws:bedrock:"+home+":"+AccountID+":provisioned-model/p1q2r3s4t5u6", home, key, version1), Want: "ADDA AAAAAA"},
		Case{Name: "a provisioned model of another account", Request: ask(invoke, "arn:aws:bedrock:"+home+":"+OtherAccount+":provisioned-model/p1q2r3s4t5u6", home, key, version1), Want: "DDDA AAAAAA"},
		Case{Name: "another principal", Request: by(OtherRole, ask(invoke, model(home, Haiku), home, key, version1)), Want: "AAAA AAAAAA"},
		Case{Name: "another principal through the endpoint", Request: by(OtherRole, through(ask(invoke, model(home, Haiku), home, key, version1))), Want: "AAAD AAAAAA"},
		Case{Name: "another principal without a guardrail", Request: by(OtherRole, ask(invoke, model(home, Haiku), home)), Want: "DDDA ADAAAA"},
		Case{Name: "the pinned guardrail applied by itself", Request: ask("bedrock:ApplyGuardrail", pinned, home), Want: "AAAA AAAAAA"},
		Case{Name: "the pinned guardrail applied through the endpoint", Request: through(ask("bedrock:ApplyGuardrail", pinned, home)), Want: "AAAA AAAAAA"},
		Case{Name: "another guardrail applied", Request: ask("bedrock:ApplyGuardrail", "arn:aws:bedrock:"+home+":"+AccountID+":guardrail/lax000000000", home), Want: "DDDA AAAAAA"},
		Case{Name: "guardrail checks", Request: ask("bedrock:InvokeGuardrailChecks", "*", home), Want: "AAAA AAAAAA"},
		Case{Name: "guardrail checks through the endpoint", Request: through(ask("bedrock:InvokeGuardrailChecks", "*", home)), Want: "AAAA AAAAAA"},
		Case{Name: "tokens counted of an allowed model", Request: ask("bedrock:CountTokens", model(home, Haiku), home), Want: "AAAA AAAAAA"},
		Case{Name: "tokens counted through the endpoint", Request: through(ask("bedrock:CountTokens", model(home, Haiku), home)), Want: "AAAA AAAAAA"},
		Case{Name: "tokens counted of another model", Request: ask("bedrock:CountTokens", model(home, OtherModel), home), Want: "ADDA AAAAAA"},
		Case{Name: "tokens counted in another region", Request: ask("bedrock:CountTokens", model("us-east-1", Haiku), "us-east-1"), Want: "DDDA DAAAAA"},
		Case{Name: "an asynchronous invocation asked for, where nothing may start one", Request: ask("bedrock:GetAsyncInvoke", "arn:aws:bedrock:"+home+":"+AccountID+":async-invoke/a1b2c3d4e5f6", home), Want: "DDDA AAAAAA"},
		Case{Name: "models listed", Request: ask("bedrock:ListFoundationModels", "*", home), Want: "DDDA AAAAAA"},
		Case{Name: "models listed through the endpoint of the runtime", Request: through(ask("bedrock:ListFoundationModels", "*", home)), Want: "DDDD AAAAAA"},
		Case{Name: "another service is asked", Request: ask("s3:GetObject", "arn:aws:s3:::documents/a.txt", "us-east-1"), Want: "DDDA AAAAAA"},
	)
}

// The routes to a model that the client does not take.
func routeCases() []Case {
	project := func(region string) string {
		return "arn:aws:bedrock-mantle:" + region + ":" + AccountID + ":project/default"
	}
	user := "arn:aws:iam::" + AccountID + ":user/developer"
	credential := "iam:ServiceSpecificCredentialServiceName"
	return table(OneRegion,
		Case{Name: "a bearer token", Request: ask("bedrock:CallWithBearerToken", "*", home, "bedrock:BearerTokenType", "SHORT_TERM"), Want: "DDDA AADAAA"},
		Case{Name: "a long-term bearer token through the endpoint", Request: through(ask("bedrock:CallWithBearerToken", "*", home, "bedrock:BearerTokenType", "LONG_TERM")), Want: "DDDD AADAAA"},
		Case{Name: "a bearer token on Mantle", Request: ask("bedrock-mantle:CallWithBearerToken", "*", home), Want: "DDDA AADAAA"},
		Case{Name: "a bearer token in another region", Request: ask("bedrock:CallWithBearerToken", "*", "us-east-1"), Want: "DDDA DADAAA"},
		Case{Name: "a long-term key made", Request: ask("iam:CreateServiceSpecificCredential", user, "us-east-1", credential, "bedrock.amazonaws.com"), Want: "DDDA AADAAA"},
		Case{Name: "a long-term key reset", Request: ask("iam:ResetServiceSpecificCredential", user, "us-east-1", credential, "bedrock.amazonaws.com"), Want: "DDDA AADAAA"},
		Case{Name: "a key of another service made", Request: ask("iam:CreateServiceSpecificCredential", user, "us-east-1", credential, "codecommit.amazonaws.com"), Want: "DDDA AAAAAA"},
		Case{Name: "a long-term key deleted", Request: ask("iam:DeleteServiceSpecificCredential", user, "us-east-1", credential, "bedrock.amazonaws.com"), Want: "DDDA AAAAAA"},
		Case{Name: "inference on Mantle", Request: ask("bedrock-mantle:CreateInference", project(home), home), Want: "DDDA AAADAA"},
		Case{Name: "inference on Mantle through the endpoint", Request: through(ask("bedrock-mantle:CreateInference", project(home), home)), Want: "DDDD AAADAA"},
		Case{Name: "inference on Mantle in another region", Request: ask("bedrock-mantle:CreateInference", project("us-east-1"), "us-east-1"), Want: "DDDA DAADAA"},
		Case{Name: "a Mantle project read in another region", Request: ask("bedrock-mantle:GetProject", project("us-east-1"), "us-east-1"), Want: "DDDA DAAAAA"},
		Case{Name: "a batch job of an allowed model", Request: ask("bedrock:CreateModelInvocationJob", model(home, Haiku), home), Want: "DDDA AAADAA"},
		Case{Name: "a batch job in another region", Request: ask("bedrock:CreateModelInvocationJob", model("us-east-1", Haiku), "us-east-1"), Want: "DDDA DAADAA"},
		Case{Name: "an agent", Request: ask("bedrock:InvokeAgent", "arn:aws:bedrock:"+home+":"+AccountID+":agent-alias/AGENT12345/ALIAS12345", home), Want: "DDDA AAADAA"},
		Case{Name: "an inline agent", Request: ask("bedrock:InvokeInlineAgent", "*", home), Want: "DDDA AAADAA"},
		Case{Name: "a flow", Request: ask("bedrock:InvokeFlow", "arn:aws:bedrock:"+home+":"+AccountID+":flow/FLOW123456/alias/ALIAS12345", home), Want: "DDDA AAADAA"},
		Case{Name: "generation from a knowledge base", Request: ask("bedrock:RetrieveAndGenerate", "*", home), Want: "DDDA AAADAA"},
		Case{Name: "retrieval, which generates nothing", Request: ask("bedrock:Retrieve", "arn:aws:bedrock:"+home+":"+AccountID+":knowledge-base/KB12345678", home), Want: "DDDA AAAAAA"},
		Case{Name: "an agent core runtime in another region", Request: ask("bedrock-agentcore:InvokeAgentRuntime", "arn:aws:bedrock-agentcore:us-east-1:"+AccountID+":runtime/agent-a1b2c3d4e5", "us-east-1"), Want: "DDDA DAAAAA"},
	)
}

// Data retention: "none" alone is permitted.
func retentionCases() []Case {
	const mode, mantle = "bedrock:DataRetentionMode", "bedrock-mantle:DataRetentionMode"
	project := "arn:aws:bedrock-mantle:" + home + ":" + AccountID + ":project/p1q2r3s4"
	return table(OneRegion,
		Case{Name: "retention set to none", Request: ask("bedrock:PutAccountDataRetention", "*", home, mode, "none"), Want: "DDDA AAAAAA"},
		Case{Name: "retention set to default", Request: ask("bedrock:PutAccountDataRetention", "*", home, mode, "default"), Want: "DDDA AAAADA"},
		Case{Name: "retention set to provider_data_share", Request: ask("bedrock:PutAccountDataRetention", "*", home, mode, "provider_data_share"), Want: "DDDA AAAADA"},
		Case{Name: "retention set without a mode", Request: ask("bedrock:PutAccountDataRetention", "*", home), Want: "DDDA AAAADA"},
		Case{Name: "Mantle's retention set to none", Request: ask("bedrock-mantle:PutAccountDataRetention", "*", home, mantle, "none"), Want: "DDDA AAAAAA"},
		Case{Name: "Mantle's retention set to aws_review", Request: ask("bedrock-mantle:PutAccountDataRetention", "*", home, mantle, "aws_review"), Want: "DDDA AAAADA"},
		Case{Name: "Mantle's retention set without a mode", Request: ask("bedrock-mantle:PutAccountDataRetention", "*", home), Want: "DDDA AAAADA"},
		Case{Name: "a Mantle project that retains nothing", Request: ask("bedrock-mantle:CreateProject", "arn:aws:bedrock-mantle:"+home+":"+AccountID+":project/p1q2r3s4", home, mantle, "none"), Want: "DDDA AAAAAA"},
		Case{Name: "a Mantle project that shares with the provider", Request: ask("bedrock-mantle:CreateProject", project, home, mantle, "provider_data_share"), Want: "DDDA AAAADA"},
		Case{Name: "a Mantle project that names no mode and defers to the account", Request: ask("bedrock-mantle:CreateProject", project, home), Want: "DDDA AAAAAA"},
		Case{Name: "a Mantle project that inherits", Request: ask("bedrock-mantle:UpdateProject", project, home, mantle, "inherit"), Want: "DDDA AAAAAA"},
		Case{Name: "a Mantle project changed to the default", Request: ask("bedrock-mantle:UpdateProject", project, home, mantle, "default"), Want: "DDDA AAAADA"},
	)
}

// Changes to what watches over the client.
func changeCases() []Case {
	return table(OneRegion,
		Case{Name: "logging deleted", Request: ask("bedrock:DeleteModelInvocationLoggingConfiguration", "*", home), Want: "DDDA AAAAAD"},
		Case{Name: "logging replaced in another region", Request: ask("bedrock:PutModelInvocationLoggingConfiguration", "*", "us-east-1"), Want: "DDDA DAAAAD"},
		Case{Name: "logging read", Request: ask("bedrock:GetModelInvocationLoggingConfiguration", "*", home), Want: "DDDA AAAAAA"},
		Case{Name: "the enforced guardrail deleted", Request: ask("bedrock:DeleteEnforcedGuardrailConfiguration", "*", home), Want: "DDDA AAAAAD"},
		Case{Name: "the enforced guardrail replaced", Request: ask("bedrock:PutEnforcedGuardrailConfiguration", "*", home), Want: "DDDA AAAAAD"},
		Case{Name: "the guardrail loosened", Request: ask("bedrock:UpdateGuardrail", pinned, home), Want: "DDDA AAAAAD"},
		Case{Name: "the guardrail deleted", Request: ask("bedrock:DeleteGuardrail", pinned, home), Want: "DDDA AAAAAD"},
		Case{Name: "a version of the guardrail made", Request: ask("bedrock:CreateGuardrailVersion", pinned, home), Want: "DDDA AAAAAD"},
		Case{Name: "another guardrail deleted", Request: ask("bedrock:DeleteGuardrail", "arn:aws:bedrock:"+home+":"+AccountID+":guardrail/other0000000", home), Want: "DDDA AAAAAA"},
		Case{Name: "the guardrail read", Request: ask("bedrock:GetGuardrail", pinned, home), Want: "DDDA AAAAAA"},
	)
}
