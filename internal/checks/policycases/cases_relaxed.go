package policycases

// No list of models: what Region and Residency permit.
func anyModelCases() []Case {
	return []Case{
		{Name: "a model of the region", Request: ask(invoke, model(home, OtherModel), home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "a model of the region by another principal", Request: by(OtherRole, ask(invoke, model(home, OtherModel), home, key, version1)), Want: "AAAD AAAAAA"},
		{Name: "a model of the region without a guardrail", Request: ask(invoke, model(home, OtherModel), home), Want: "DDDD ADAAAA"},
		{Name: "a model of another region", Request: ask(invoke, model("us-east-1", OtherModel), "us-east-1", key, version1), Want: "DDDD DAAAAA"},
		{Name: "an eu profile", Request: ask(invoke, system(home, AccountID, "eu."+Sonnet), home, key, version1), Want: "DDDD AAAAAA"},
	}
}

// One model, and a knowledge base's role that calls models without the guardrail.
func sparedCases() []Case {
	return []Case{
		{Name: "the spared principal without a guardrail", Request: by(KnowledgeRole, ask(invoke, model(home, Haiku), home)), Want: "DDDD AAAAAA"},
		{Name: "the spared principal streams without a guardrail", Request: by(KnowledgeRole, ask(stream, model(home, Haiku), home)), Want: "DDDD AAAAAA"},
		{Name: "the client's own role with the guardrail", Request: ask(invoke, model(home, Haiku), home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "the client's own role without a guardrail", Request: ask(invoke, model(home, Haiku), home), Want: "DDDD ADAAAA"},
		{Name: "another principal with the guardrail", Request: by(OtherRole, ask(invoke, model(home, Haiku), home, key, version1)), Want: "AAAD AAAAAA"},
		{Name: "a batch job by the spared principal", Request: by(KnowledgeRole, ask("bedrock:CreateModelInvocationJob", model(home, Haiku), home)), Want: "DDDD AAADAA"},
	}
}

// No guardrail at all.
func unguardedCases() []Case {
	return []Case{
		{Name: "the model without a guardrail", Request: ask(invoke, model(home, Haiku), home), Want: "AAAA AAAAAA"},
		{Name: "the model without a guardrail by another principal", Request: by(OtherRole, ask(invoke, model(home, Haiku), home)), Want: "AAAD AAAAAA"},
		{Name: "another model without a guardrail", Request: ask(invoke, model(home, OtherModel), home), Want: "ADDD AAAAAA"},
		{Name: "the model in another region", Request: ask(invoke, model("us-east-1", Haiku), "us-east-1"), Want: "DDDD DAAAAA"},
	}
}

// StartAsyncInvoke authorizes as InvokeModel, without a guardrail.
func asyncCases() []Case {
	const east = "us-east-1"
	guard := "arn:aws:bedrock:" + east + ":" + AccountID + ":guardrail/" + GuardrailID
	loose := "arn:aws:bedrock:" + east + ":" + AccountID + ":guardrail/lax000000000:1"
	return []Case{
		{Name: "a model with the guardrail", Request: ask(invoke, model(east, Haiku), east, key, guard+":1"), Want: "AAAA AAAAAA"},
		{Name: "a model by another principal", Request: by(OtherRole, ask(invoke, model(east, Haiku), east, key, guard+":1")), Want: "AAAD AAAAAA"},
		{Name: "a stream with the guardrail", Request: ask(stream, model(east, Haiku), east, key, guard+":1"), Want: "AAAA AAAAAA"},
		{Name: "a stream by another principal", Request: by(OtherRole, ask(stream, model(east, Haiku), east, key, guard+":1")), Want: "AAAD AAAAAA"},
		{Name: "StartAsyncInvoke, without a guardrail", Request: ask(invoke, model(east, "amazon.nova-reel-v1:0"), east), Want: "AAAA AAAAAA"},
		{Name: "the invocation that StartAsyncInvoke makes", Request: ask(invoke, "arn:aws:bedrock:"+east+":"+AccountID+":async-invoke/a1b2c3d4e5f6", east), Want: "AAAA AAAAAA"},
		{Name: "a stream without a guardrail, which nothing excuses", Request: ask(stream, model(east, Haiku), east), Want: "DDDD ADAAAA"},
		{Name: "a lax guardrail", Request: ask(invoke, model(east, Haiku), east, key, loose), Want: "DDDD ADAAAA"},
		{Name: "another version", Request: ask(invoke, model(east, Haiku), east, key, guard+":2"), Want: "DDDD ADAAAA"},
		{Name: "another model without a guardrail", Request: ask(invoke, model(east, OtherModel), east), Want: "ADDD AAAAAA"},
	}
}
