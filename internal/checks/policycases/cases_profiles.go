package policycases

import "strings"

// Ten models, each by its profile of the European Union.
func europeCases() []Case {
	eu := system(home, AccountID, "eu."+Sonnet)
	rows := []Case{
		{Name: "the profile itself", Request: ask(invoke, eu, home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "the profile streamed", Request: ask(stream, eu, home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "the profile without a guardrail", Request: ask(invoke, eu, home), Want: "DDDD ADAAAA"},
		{Name: "the profile with a lax guardrail", Request: ask(invoke, eu, home, key, lax), Want: "DDDD ADAAAA"},
		// The session policy writes one pattern for ten profiles. What it does not mean has its
		// legs closed, below.
		{Name: "a profile of another model", Request: ask(invoke, system(home, AccountID, "eu."+OtherModel), home, key, version1), Want: "ADAD AAAAAA"},
		{Name: "the model's us profile", Request: ask(invoke, system(home, AccountID, "us."+Sonnet), home, key, version1), Want: "DDDD AAAAAA"},
		{Name: "the model's global profile", Request: ask(invoke, system(home, AccountID, "global."+Sonnet), home, key, version1), Want: "DDDD AAAAAA"},
		{Name: "the profile called in another region of the geography", Request: ask(invoke, system("eu-west-1", AccountID, "eu."+Sonnet), "eu-west-1", key, version1), Want: "DDDD AAAAAA"},
		{Name: "the profile of another account", Request: ask(invoke, system(home, OtherAccount, "eu."+Sonnet), home, key, version1), Want: "DDDD AAAAAA"},
		{Name: "the home leg without the profile", Request: ask(invoke, model(home, Sonnet), home, key, version1), Want: "ADDD AAAAAA"},
		{Name: "the home leg without the profile and without a guardrail", Request: ask(invoke, model(home, Sonnet), home), Want: "DDDD ADAAAA"},
		{Name: "the profile by another principal", Request: by(OtherRole, ask(invoke, eu, home, key, version1)), Want: "AAAD AAAAAA"},
		{Name: "another leg without the profile", Request: ask(invoke, model("eu-west-1", Sonnet), "eu-west-1", key, version1), Want: "DDDD AAAAAA"},
		{Name: "a leg without a guardrail", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, eu), Want: "DDDD ADAAAA"},
		{Name: "a leg with another version of the guardrail", Request: ask(stream, model("eu-west-3", Sonnet), "eu-west-3", profile, eu, key, version2), Want: "DDDD ADAAAA"},
		{Name: "a leg of the us profile outside of the geography", Request: ask(invoke, model("us-east-2", Sonnet), "us-east-2", profile, system(home, AccountID, "us."+Sonnet), key, version1), Want: "DDDD DAAAAA"},
		{Name: "a leg outside of the geography under the eu profile", Request: ask(invoke, model("us-east-2", Sonnet), "us-east-2", profile, eu, key, version1), Want: "DDDD DAAAAA"},
		{Name: "a leg in London, which is no destination", Request: ask(invoke, model("eu-west-2", Sonnet), "eu-west-2", profile, eu, key, version1), Want: "DDDD DAAAAA"},
		{Name: "a leg of another model", Request: ask(invoke, model("eu-west-3", OtherModel), "eu-west-3", profile, system(home, AccountID, "eu."+OtherModel), key, version1), Want: "ADDD AAAAAA"},
		{Name: "a leg under an application profile", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, Profile, key, version1), Want: "DDDD AAAAAA"},
		{Name: "a leg under a profile of another account, which is closed itself", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, system(home, OtherAccount, "eu."+Sonnet), key, version1), Want: "DDAD AAAAAA"},
		{Name: "the global leg, which has no region", Request: ask(invoke, model("", Sonnet), "unspecified", profile, system(home, AccountID, "global."+Sonnet), key, version1), Want: "DDDD DAAAAA",
			Unsimulated: "iam-simulate knows no ARN of a foundation model without a region"},
		{Name: "a bearer token in another region of the geography", Request: ask("bedrock:CallWithBearerToken", "*", "eu-west-3"), Want: "DDDD AADAAA"},
		{Name: "inference on Mantle in another region of the geography", Request: ask("bedrock-mantle:CreateInference", "arn:aws:bedrock-mantle:eu-west-3:"+AccountID+":project/default", "eu-west-3"), Want: "DDDD AAADAA"},
	}
	for _, region := range []string{"eu-central-1", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-3"} {
		rows = append(rows,
			Case{Name: "the leg in " + region, Request: ask(invoke, model(region, Sonnet), region, profile, eu, key, version1), Want: "AAAA AAAAAA"},
			Case{Name: "the leg in " + region + ", streamed", Request: ask(stream, model(region, Sonnet), region, profile, eu, key, version1), Want: "AAAA AAAAAA"},
			Case{Name: "the leg in " + region + ", by another principal", Request: by(OtherRole, ask(invoke, model(region, Sonnet), region, profile, eu, key, version1)), Want: "AAAD AAAAAA"})
	}
	return rows
}

// A global profile, beside one of a geography.
func globalCases() []Case {
	const noRegion = "iam-simulate knows no ARN of a foundation model without a region"
	global, eu := system(home, AccountID, "global."+Sonnet), system(home, AccountID, "eu."+Nova)
	// Under Residency "*" a profile may have its legs anywhere. What is denied is what no
	// profile of Options.Models has, and, but for invoke-any, what is called directly.
	return []Case{
		{Name: "the global profile", Request: ask(invoke, global, home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "its leg in the source region", Request: ask(invoke, model(home, Sonnet), home, profile, global, key, version1), Want: "AAAA AAAAAA"},
		{Name: "its leg without a region", Request: ask(invoke, model("", Sonnet), "unspecified", profile, global, key, version1), Want: "AAAA AAAAAA", Unsimulated: noRegion},
		{Name: "its leg without a region, streamed", Request: ask(stream, model("", Sonnet), "unspecified", profile, global, key, version1), Want: "AAAA AAAAAA", Unsimulated: noRegion},
		{Name: "its leg without a region and without a guardrail", Request: ask(invoke, model("", Sonnet), "unspecified", profile, global), Want: "DDDD ADAAAA", Unsimulated: noRegion},
		{Name: "its leg without a region under the eu profile", Request: ask(invoke, model("", Sonnet), "unspecified", profile, eu, key, version1), Want: "ADDD AAAAAA", Unsimulated: noRegion},
		{Name: "the model in another region, called directly", Request: ask(invoke, model("us-east-1", Sonnet), "us-east-1", key, version1), Want: "DDDD DAAAAA"},
		{Name: "the eu profile", Request: ask(invoke, eu, home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "the eu profile's leg", Request: ask(invoke, model("eu-west-3", Nova), "eu-west-3", profile, eu, key, version1), Want: "AAAA AAAAAA"},
		{Name: "the eu profile of the model whose global one is allowed", Request: ask(invoke, system(home, AccountID, "eu."+Sonnet), home, key, version1), Want: "ADDD AAAAAA"},
		{Name: "the global profile without a guardrail", Request: ask(invoke, global, home), Want: "DDDD ADAAAA"},
		{Name: "the global profile by another principal", Request: by(OtherRole, ask(invoke, global, home, key, version1)), Want: "AAAD AAAAAA"},
		{Name: "its leg in the source region by another principal", Request: by(OtherRole, ask(invoke, model(home, Sonnet), home, profile, global, key, version1)), Want: "AAAD AAAAAA"},
		{Name: "its leg without a region, asked for in a region", Request: ask(invoke, model("", Sonnet), "us-east-1", profile, global, key, version1), Want: "ADDD AAAAAA", Unsimulated: noRegion},
		{Name: "the eu profile's leg without a guardrail", Request: ask(invoke, model("eu-west-3", Nova), "eu-west-3", profile, eu), Want: "DDDD ADAAAA"},
		{Name: "the eu profile's leg by another principal", Request: by(OtherRole, ask(invoke, model("eu-west-3", Nova), "eu-west-3", profile, eu, key, version1)), Want: "AAAD AAAAAA"},
		{Name: "the eu profile's leg without the profile", Request: ask(invoke, model("eu-west-3", Nova), "eu-west-3", key, version1), Want: "DDDD DAAAAA"},
		{Name: "a leg of the eu profile outside of the geography", Request: ask(invoke, model("us-east-1", Nova), "us-east-1", profile, eu, key, version1), Want: "ADDD AAAAAA"},
		{Name: "a leg of a prompt router, which Options do not have", Request: ask(invoke, model("us-east-1", Nova), "us-east-1", "bedrock:PromptRouterArn", "arn:aws:bedrock:"+home+":"+AccountID+":default-prompt-router/amazon.nova:1", key, version1), Want: "DDDD AAAAAA"},
		{Name: "a model of the region, called directly", Request: ask(invoke, model(home, OtherModel), home, key, version1), Want: "ADDD AAAAAA"},
		{Name: "a model of the region without a guardrail", Request: ask(invoke, model(home, OtherModel), home), Want: "DDDD ADAAAA"},
		{Name: "a guardrail profile in another region, which an enforced guardrail may have", Request: ask("bedrock:ApplyGuardrail", "arn:aws:bedrock:us-east-1:"+AccountID+":guardrail-profile/eu.guardrail.v1:0", "us-east-1"), Want: "DDDA AAAAAA"},
	}
}

// Profiles of both regions of GovCloud.
func govCloudCases() []Case {
	const west, east = "us-gov-west-1", "us-gov-east-1"
	guard := "arn:aws:bedrock:" + west + ":" + AccountID + ":guardrail/" + GuardrailID
	both := system(west, AccountID, "us-gov."+Haiku)
	return []Case{
		{Name: "the profile", Request: ask(invoke, both, west, key, guard+":1"), Want: "AAAA AAAAAA"},
		{Name: "its leg in the west", Request: ask(invoke, model(west, Haiku), west, profile, both, key, guard+":1"), Want: "AAAA AAAAAA"},
		{Name: "its leg in the east", Request: ask(stream, model(east, Haiku), east, profile, both, key, guard+":1"), Want: "AAAA AAAAAA"},
		{Name: "its leg in the east without a guardrail", Request: ask(invoke, model(east, Haiku), east, profile, both), Want: "DDDD ADAAAA"},
		{Name: "the model itself, which only its profile may reach", Request: ask(invoke, model(west, Haiku), west, key, guard+":1"), Want: "ADDD AAAAAA"},
		{Name: "the model that is called directly", Request: ask(invoke, model(west, Nova), west, key, guard+":1"), Want: "AAAA AAAAAA"},
		{Name: "the model that is called directly, in the east", Request: ask(invoke, model(east, Nova), east, key, guard+":1"), Want: "DDDD AAAAAA"},
		{Name: "the profile without a guardrail", Request: ask(invoke, both, west), Want: "DDDD ADAAAA"},
		{Name: "the profile by another principal", Request: by(OtherGovRole, ask(invoke, both, west, key, guard+":1")), Want: "AAAD AAAAAA"},
		{Name: "its leg in the east by another principal", Request: by(OtherGovRole, ask(invoke, model(east, Haiku), east, profile, both, key, guard+":1")), Want: "AAAD AAAAAA"},
		{Name: "its leg in the east without the profile", Request: ask(invoke, model(east, Haiku), east, key, guard+":1"), Want: "DDDD AAAAAA"},
		{Name: "the model that is called directly without a guardrail", Request: ask(invoke, model(west, Nova), west), Want: "DDDD ADAAAA"},
		{Name: "the model that is called directly by another principal", Request: by(OtherGovRole, ask(invoke, model(west, Nova), west, key, guard+":1")), Want: "AAAD AAAAAA"},
	}
}

// An application profile, and the models behind it.
func appProfileCases() []Case {
	return []Case{
		{Name: "the profile", Request: ask(invoke, Profile, home, key, version1), Want: "AAAA AAAAAA"},
		{Name: "the profile without a guardrail", Request: ask(invoke, Profile, home), Want: "DDDD ADAAAA"},
		{Name: "its leg at home", Request: ask(invoke, model(home, Sonnet), home, profile, Profile, key, version1), Want: "AAAA AAAAAA"},
		{Name: "its leg in another region", Request: ask(stream, model("eu-west-3", Sonnet), "eu-west-3", profile, Profile, key, version1), Want: "AAAA AAAAAA"},
		{Name: "another profile", Request: ask(invoke, strings.Replace(Profile, "a1b2c3", "x1y2z3", 1), home, key, version1), Want: "DDDD AAAAAA"},
		{Name: "a leg of another profile", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, strings.Replace(Profile, "a1b2c3", "x1y2z3", 1), key, version1), Want: "DDDD AAAAAA"},
		{Name: "a leg of the system profile behind it", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, system(home, AccountID, "eu."+Sonnet), key, version1), Want: "ADDD AAAAAA"},
		{Name: "the system profile behind it", Request: ask(invoke, system(home, AccountID, "eu."+Sonnet), home, key, version1), Want: "ADDD AAAAAA"},
		{Name: "another model under the profile", Request: ask(invoke, model(home, OtherModel), home, profile, Profile, key, version1), Want: "ADDD AAAAAA"},
		{Name: "the profile by another principal", Request: by(OtherRole, ask(invoke, Profile, home, key, version1)), Want: "AAAD AAAAAA"},
		{Name: "its leg by another principal", Request: by(OtherRole, ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, Profile, key, version1)), Want: "AAAD AAAAAA"},
		{Name: "its leg without a guardrail", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, Profile), Want: "DDDD ADAAAA"},
		{Name: "its leg without the profile", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", key, version1), Want: "DDDD AAAAAA"},
		{Name: "a leg of a system profile without a guardrail", Request: ask(invoke, model("eu-west-3", Sonnet), "eu-west-3", profile, system(home, AccountID, "eu."+Sonnet)), Want: "DDDD ADAAAA"},
		{Name: "a model of the region without a guardrail", Request: ask(invoke, model(home, OtherModel), home), Want: "DDDD ADAAAA"},
		{Name: "the profile resolved, on another endpoint", Request: ask("bedrock:GetInferenceProfile", Profile, home), Want: "AAAD AAAAAA"},
		{Name: "another profile resolved", Request: ask("bedrock:GetInferenceProfile", strings.Replace(Profile, "a1b2c3", "x1y2z3", 1), home), Want: "DDDD AAAAAA"},
	}
}
