package policycases

// No list of models: what Region and Residency permit.
func anyModelCases() []Case {
	return table(AnyModel,
		Case{Name: "a model of the region", Request: ask(invoke, model(home, OtherModel), home, key, version1), Want: "AAAA AAAAAA"},
		Case{Name: "a model of the region without a guardrail", Request: ask(invoke, model(home, OtherModel), home), Want: "DDDA ADAAAA"},
		Case{Name: "a model of another region", Request: ask(invoke, model("us-east-1", OtherModel), "us-east-1", key, version1), Want: "DDDA DAAAAA"},
		Case{Name: "an eu profile", Request: ask(invoke, system(home, AccountID, "eu."+Sonnet), home, key, version1), Want: "DDDA AAAAAA"},
	)
}

// What a relaxation of Options leaves out, and what it leaves standing.
func relaxedCases() []Case {
	const east = "us-east-1"
	eastGuard := "arn:aws:bedrock:" + east + ":" + AccountID + ":guardrail/" + GuardrailID
	spared := table(Spared,
		Case{Name: "the spared principal without a guardrail", Request: by(KnowledgeRole, ask(invoke, model(home, Haiku), home)), Want: "DDDA AAAAAA"},
		Case{Name: "the spared principal streams without a guardrail", Request: by(KnowledgeRole, ask(stream, model(home, Haiku), home)), Want: "DDDA AAAAAA"},
		Case{Name: "the client's own role without a guardrail", Request: ask(invoke, model(home, Haiku), home), Want: "DDDA ADAAAA"},
		Case{Name: "generation from a knowledge base, which is in use", Request: ask("bedrock:RetrieveAndGenerate", "*", home), Want: "DDDA AAAAAA"},
		Case{Name: "a batch job by the spared principal", Request: by(KnowledgeRole, ask("bedrock:CreateModelInvocationJob", model(home, Haiku), home)), Want: "DDDA AAADAA"},
	)
	unguarded := table(Unguarded,
		Case{Name: "the model without a guardrail", Request: ask(invoke, model(home, Haiku), home), Want: "AAAA A.A.AA"},
		Case{Name: "another model without a guardrail", Request: ask(invoke, model(home, OtherModel), home), Want: "ADDA A.A.AA"},
		Case{Name: "the model in another region", Request: ask(invoke, model(east, Haiku), east), Want: "DDDA D.A.AA"},
		Case{Name: "a bearer token", Request: ask("bedrock:CallWithBearerToken", "*", home), Want: "DDDA A.D.AA"},
	)
	async := table(Async,
		Case{Name: "a model with the guardrail", Request: ask(invoke, model(east, Haiku), east, key, eastGuard+":1"), Want: "AAAA AAAAAA"},
		Case{Name: "StartAsyncInvoke, without a guardrail", Request: ask(invoke, model(east, "amazon.nova-reel-v1:0"), east), Want: "AAAA AAAAAA"},
		Case{Name: "a stream without a guardrail, which nothing excuses", Request: ask(stream, model(east, Haiku), east), Want: "DDDA ADAAAA"},
		Case{Name: "a lax guardrail", Request: ask(invoke, model(east, Haiku), east, key, "arn:aws:bedrock:"+east+":"+AccountID+":guardrail/lax000000000:1"), Want: "DDDA ADAAAA"},
		Case{Name: "another version", Request: ask(invoke, model(east, Haiku), east, key, eastGuard+":2"), Want: "DDDA ADAAAA"},
		Case{Name: "another model without a guardrail", Request: ask(invoke, model(east, OtherModel), east), Want: "ADDA AAAAAA"},
		Case{Name: "an invocation asked for", Request: ask("bedrock:GetAsyncInvoke", "arn:aws:bedrock:"+east+":"+AccountID+":async-invoke/a1b2c3d4e5f6", east), Want: "AAAA AAAAAA"},
		Case{Name: "invocations listed", Request: ask("bedrock:ListAsyncInvokes", "*", east), Want: "AAAA AAAAAA"},
	)
	all := append(spared, unguarded...)
	return append(all, async...)
}
