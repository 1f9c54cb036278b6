package policycases

import "strings"

// Ten models, each by its profile of the European Union.
func europeCases() []Case {
	eu := system(home, AccountID, "eu."+Sonnet)
	rows := []Case{
		{Name: "the profile itself", Request: ask(invoke, eu, home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "the profile streamed", Request: ask(stream, eu, home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "the profile through the endpoint", Request: through(ask(invoke, eu, home, key, version1)), Want: "AAAA AAAAAA"},
		{Name: "the profile without a guardrail", Request: ask(invoke, eu, home), Want: "DDDA ADAAAA"},
		{Name: "the profile with a lax guardrail", Request: ask(invoke, eu, home, key, lax), Want: "DDDA ADAAAA"},
		// The session policy writes one pattern for ten profiles. What it does not mean has its
		// legs closed, below.
		{Name: "a profile of another model", Request: ask(invoke, system(home, AccountID, "eu."+OtherModel), home, key, version1), Want: "ADAA AAAAAA"},
		{Name: "the model's us profile", Request: ask(invoke, system(home, AccountID, "us."+Sonnet), home, key, version1), Want: "DDDA AAAAAA"},
		{Name: "the model's global profile", Request: ask(invoke, system(home, AccountID, "global."+Sonnet), home, key, version1), Want: "DDDA AAAAAA"},
		{Name: "the profile called in another region of the geography", Request: ask(invoke, system("eu-west-1", AccountID, "eu."+Sonnet), "eu-west-1", key, version1), Want: "DDDA AAAAAA"},
		{Name: "the profile of another account", Request: ask(invoke, system(home, OtherAccount, "eu."+Sonnet), home, key, version1), Want: "DDDA AAAAAA"},
		{Name: "the home leg without the profile", Request: ask(invoke, model(home, Sonnet), home, key, version1), Want: "ADDA AAAAAA"},
		{Name: "another leg without the profile", Request: ask(invoke, model("eu-west-1", Sonnet), "eu-west-1", key, version1), Want: "DDDA AAAAAA"},
		{Name: "a leg without a guardrail", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, eu), Want: "DDDA ADAAAA"},
		{Name: "a leg with another version of the guardrail", Request: ask(stream, model("eu-west-3", Sonnet), "eu-west-3", profile, eu, key, version2), Want: "DDDA ADAAAA"},
		{Name: "a leg of the us profile outside of the geography", Request: ask(invoke, model("us-east-2", Sonnet), "us-east-2", profile, system(home, AccountID, "us."+Sonnet), key, version1), Want: "DDDA DAAAAA"},
		{Name: "a leg outside of the geography under the eu profile", Request: ask(invoke, model("us-east-2", Sonnet), "us-east-2", profile, eu, key, version1), Want: "DDDA DAAAAA"},
		{Name: "a leg in London, which is no destination", Request: ask(invoke, model("eu-west-2", Sonnet), "eu-west-2", profile, eu, key, version1), Want: "DDDA DAAAAA"},
		{Name: "a leg of another model", Request: ask(invoke, model("eu-west-3", OtherModel), "eu-west-3", profile, system(home, AccountID, "eu."+OtherModel), key, version1), Want: "ADDA AAAAAA"},
		{Name: "a leg under an application profile", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, Profile, key, version1), Want: "DDDA AAAAAA"},
		{Name: "a leg under a profile of another account, which is closed itself", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, system(home, OtherAccount, "eu."+Sonnet), key, version1), Want: "DDAA AAAAAA"},
		{Name: "the global leg, which has no region", Request: ask(invoke, model("", Sonnet), "unspecified", profile, system(home, AccountID, "global."+Sonnet), key, version1), Want: "DDDA DAAAAA",
			Unsimulated: "iam-simulate knows no ARN of a foundation model without a region"},
		{Name: "a bearer token in another region of the geography", Request: ask("bedrock:CallWithBearerToken", "*", "eu-west-3"), Want: "DDDA AADAAA"},
		{Name: "inference on Mantle in another region of the geography", Request: ask("bedrock-mantle:CreateInference", "arn:aws:bedrock-mantle:eu-west-3:"+AccountID+":project/default", "eu-west-3"), Want: "DDDA AAADAA"},
	}
	for _, region := range []string{"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"} {
		rows = append(rows,
			Case{Name: "the leg in " + region, Request: ask(invoke, model(region, Sonnet), region, profile, eu, key, version1), Want: "AAAA AAAAAA"},
			Case{Name: "the leg in " + region + ", streamed", Request: ask(stream, model(region, Sonnet), region, profile, eu, key, version1), Want: "AAAA AAAAAA"},
			Case{Name: "the leg in " + region + " through the endpoint", Request: through(ask(invoke, model(region, Sonnet), region, profile, eu, key, version1)), Want: "AAAA AAAAAA"})
	}
	standalone := append([]Case(nil), rows...)
	return append(table(Europe, rows...), table(Standalone, standalone...)...)
}

// A global profile, beside one of a geography.
func globalCases() []Case {
	const noRegion = "iam-simulate knows no ARN of a foundation model without a region"
	global, eu := system(home, AccountID, "global."+Sonnet), system(home, AccountID, "eu."+Nova)
	return table(Global,
		Case{Name: "the global profile", Request: ask(invoke, global, home, key, version1), Want: "AAAA AAAAAA"},
		Case{Name: "its leg in the source region", Request: ask(invoke, model(home, Sonnet), home, profile, global, key, version1), Want: "AAAA AAAAAA"},
		Case{Name: "its leg without a region", Request: ask(invoke, model("", Sonnet), "unspecified", profile, global, key, version1), Want: "AAAA AAAAAA", Unsimulated: noRegion},
		Case{Name: "its leg without a region, streamed", Request: ask(stream, model("", Sonnet), "unspecified", profile, global, key, version1), Want: "AAAA AAAAAA", Unsimulated: noRegion},
		Case{Name: "its leg without a region and without a guardrail", Request: ask(invoke, model("", Sonnet), "unspecified", profile, global), Want: "DDDA ADAAAA", Unsimulated: noRegion},
		Case{Name: "its leg without a region under the eu profile", Request: ask(invoke, model("", Sonnet), "unspecified", profile, eu, key, version1), Want: "ADDA AAAAAA", Unsimulated: noRegion},
		Case{Name: "the model in another region, called directly", Request: ask(invoke, model("us-east-1", Sonnet), "us-east-1", key, version1), Want: "DDDA DAAAAA"},
		Case{Name: "the eu profile", Request: ask(invoke, eu, home, key, version1), Want: "AAAA AAAAAA"},
		Case{Name: "the eu profile's leg", Request: ask(invoke, model("eu-west-3", Nova), "eu-west-3", profile, eu, key, version1), Want: "AAAA AAAAAA"},
		Case{Name: "the eu profile of the model whose global one is allowed", Request: ask(invoke, system(home, AccountID, "eu."+Sonnet), home, key, version1), Want: "ADDA AAAAAA"},
		Case{Name: "inference on Mantle in another region", Request: ask("bedrock-mantle:CreateInference", "arn:aws:bedrock-mantle:us-east-1:"+AccountID+":project/default", "us-east-1"), Want: "DDDA DAADAA"},
	)
}

// Profiles of both regions of GovCloud.
func govCloudCases() []Case {
	const west, east = "us-gov-west-1", "us-gov-east-1"
	gov := func(q Request) Request {
		q.Principal, q.Resource = GovRole, strings.Replace(q.Resource, "arn:aws:", "arn:aws-us-gov:", 1)
		for k, values := range q.Context {
			for i := range values {
				values[i] = strings.Replace(values[i], "arn:aws:", "arn:aws-us-gov:", 1)
			}
			q.Context[k] = values
		}
		return q
	}
	guard := "arn:aws:bedrock:" + west + ":" + AccountID + ":guardrail/" + GuardrailID
	both := system(west, AccountID, "us-gov."+Haiku)
	return table(GovCloud,
		Case{Name: "the profile", Request: gov(ask(invoke, both, west, key, guard+":1")), Want: "AAAA AAAAAA"},
		Case{Name: "its leg in the west", Request: gov(ask(invoke, model(west, Haiku), west, profile, both, key, guard+":1")), Want: "AAAA AAAAAA"},
		Case{Name: "its leg in the east", Request: gov(ask(stream, model(east, Haiku), east, profile, both, key, guard+":1")), Want: "AAAA AAAAAA"},
		Case{Name: "its leg in the east through the endpoint", Request: gov(through(ask(stream, model(east, Haiku), east, profile, both, key, guard+":1"))), Want: "AAAA AAAAAA"},
		Case{Name: "its leg in the east without a guardrail", Request: gov(ask(invoke, model(east, Haiku), east, profile, both)), Want: "DDDA ADAAAA"},
		Case{Name: "the model itself, which only its profile may reach", Request: gov(ask(invoke, model(west, Haiku), west, key, guard+":1")), Want: "ADDA AAAAAA"},
		Case{Name: "the model that is called directly", Request: gov(ask(invoke, model(west, Nova), west, key, guard+":1")), Want: "AAAA AAAAAA"},
		Case{Name: "the model that is called directly, in the east", Request: gov(ask(invoke, model(east, Nova), east, key, guard+":1")), Want: "DDDA AAAAAA"},
		Case{Name: "the guardrail applied", Request: gov(ask("bedrock:ApplyGuardrail", guard, west)), Want: "AAAA AAAAAA"},
		Case{Name: "the guardrail of another region applied", Request: gov(ask("bedrock:ApplyGuardrail", "arn:aws:bedrock:"+east+":"+AccountID+":guardrail/"+GuardrailID, east)), Want: "DDDA AAAAAA"},
		Case{Name: "a bearer token", Request: gov(ask("bedrock:CallWithBearerToken", "*", west)), Want: "DDDA AADAAA"},
	)
}

// An application profile, and the models behind it.
func appProfileCases() []Case {
	return table(AppProfile,
		Case{Name: "the profile", Request: ask(invoke, Profile, home, key, version1), Want: "AAAA AAAAAA"},
		Case{Name: "the profile without a guardrail", Request: ask(invoke, Profile, home), Want: "DDDA ADAAAA"},
		Case{Name: "its leg at home", Request: ask(invoke, model(home, Sonnet), home, profile, Profile, key, version1), Want: "AAAA AAAAAA"},
		Case{Name: "its leg in another region", Request: ask(stream, model("eu-west-3", Sonnet), "eu-west-3", profile, Profile, key, version1), Want: "AAAA AAAAAA"},
		Case{Name: "another profile", Request: ask(invoke, strings.Replace(Profile, "a1b2c3", "x1y2z3", 1), home, key, version1), Want: "DDDA AAAAAA"},
		Case{Name: "a leg of another profile", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, strings.Replace(Profile, "a1b2c3", "x1y2z3", 1), key, version1), Want: "DDDA AAAAAA"},
		Case{Name: "a leg of the system profile behind it", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, system(home, AccountID, "eu."+Sonnet), key, version1), Want: "ADDA AAAAAA"},
		Case{Name: "the system profile behind it", Request: ask(invoke, system(home, AccountID, "eu."+Sonnet), home, key, version1), Want: "ADDA AAAAAA"},
		Case{Name: "another model under the profile", Request: ask(invoke, model(home, OtherModel), home, profile, Profile, key, version1), Want: "ADDA AAAAAA"},
	)
}
