package policycases

// Two models of one region. The embedding model takes no guardrail.
func oneRegionCases() []Case {
	return []Case{
		{Name: "an allowed model with the guardrail", Request: ask(invoke, model(home, Haiku), home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "streamed", Request: ask(stream, model(home, Haiku), home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "without a guardrail, as a bidirectional or asynchronous call is", Request: ask(invoke, model(home, Haiku), home), Want: "DDDD ADAAAA"},
		{Name: "streamed without a guardrail", Request: ask(stream, model(home, Haiku), home), Want: "DDDD ADAAAA"},
		{Name: "another version of the guardrail", Request: ask(invoke, model(home, Haiku), home, key, version2), Want: "DDDD ADAAAA"},
		{Name: "the guardrail's draft, which has no suffix", Request: ask(invoke, model(home, Haiku), home, key, pinned), Want: "DDDD ADAAAA"},
		{Name: "a lax guardrail of the account", Request: ask(invoke, model(home, Haiku), home, key, lax), Want: "DDDD ADAAAA"},
		{Name: "a lax guardrail, streamed", Request: ask(stream, model(home, Haiku), home, key, lax), Want: "DDDD ADAAAA"},
		{Name: "the guardrail of another account", Request: ask(invoke, model(home, Haiku), home, key, foreign), Want: "DDDD ADAAAA"},
		{Name: "the embedding model without a guardrail", Request: ask(invoke, model(home, Embedding), home), Want: "AAAA AAAAAA"},
		{Name: "the embedding model streamed without a guardrail", Request: ask(stream, model(home, Embedding), home), Want: "AAAA AAAAAA"},
		{Name: "the embedding model with the guardrail, as the client calls it", Request: ask(invoke, model(home, Embedding), home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "the embedding model without a guardrail by another principal", Request: by(OtherRole, ask(invoke, model(home, Embedding), home)), Want: "AAAD AAAAAA"},
		{Name: "another model with the guardrail", Request: ask(invoke, model(home, OtherModel), home, key, version1), Want: "ADDD AAAAAA"},
		{Name: "a model whose ID only begins like an allowed one", Request: ask(invoke, model(home, Haiku+"-next"), home, key, version1), Want: "ADDD AAAAAA"},
		{Name: "an allowed model in another region", Request: ask(invoke, model("us-east-1", Haiku), "us-east-1", key, version1), Want: "DDDD DAAAAA"},
		{Name: "an allowed model streamed in another region", Request: ask(stream, model("us-east-1", Haiku), "us-east-1", key, version1), Want: "DDDD DAAAAA"},
		{Name: "the embedding model in another region", Request: ask(invoke, model("us-east-1", Embedding), "us-east-1"), Want: "DDDD DAAAAA"},
		{Name: "an eu profile, which leaves the region", Request: ask(invoke, system(home, AccountID, "eu."+Haiku), home, key, version1), Want: "DDDD AAAAAA"},
		{Name: "an allowed model as the home leg of an eu profile, which is closed itself", Request: ask(invoke, model(home, Haiku), home, key, version1, profile, system(home, AccountID, "eu."+Haiku)), Want: "AAAA AAAAAA"},
		{Name: "an eu profile's leg in another region", Request: ask(invoke, model("eu-west-1", Haiku), "eu-west-1", key, version1, profile, system(home, AccountID, "eu."+Haiku)), Want: "DDDD DAAAAA"},
		{Name: "a provisioned model", Request: ask(invoke, "arn:aws:bedrock:"+home+":"+AccountID+":provisioned-model/p1q2r3s4t5u6", home, key, version1), Want: "ADDD AAAAAA"},
		{Name: "a provisioned model of another account", Request: ask(invoke, "arn:aws:bedrock:"+home+":"+OtherAccount+":provisioned-model/p1q2r3s4t5u6", home, key, version1), Want: "DDDD AAAAAA"},
		{Name: "another principal", Request: by(OtherRole, ask(invoke, model(home, Haiku), home, key, version1)), Want: "AAAD AAAAAA"},
		{Name: "another principal without a guardrail", Request: by(OtherRole, ask(invoke, model(home, Haiku), home)), Want: "DDDD ADAAAA"},
	}
}
