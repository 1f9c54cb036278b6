// Package profiles asks Bedrock itself where an inference profile runs. A
// [Resolver] is a securebedrock.ProfileResolver over the control plane's
// GetInferenceProfile, for Options.Profiles:
//
//	resolver, err := profiles.New(cfg, profiles.Options{Region: "eu-central-1"})
//	...
//	client, err := securebedrock.NewFromConfig(cfg, securebedrock.Options{
//		Region:    "eu-central-1",
//		Residency: securebedrock.Geography("eu"),
//		Profiles:  resolver,
//		...
//	})
//
// It is a module of its own, so that the client does not pull the SDK of the
// control plane in.
//
// # What it adds to the built-in table
//
// Application inference profiles, whose destinations no ARN tells, and the exact
// destinations of a system profile's model where the table holds the union over
// all models. AWS asks for this rather than to read a prefix
// (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-support.html).
//
// # What it guarantees
//
// An answer is used only if it is about the profile that was asked for, in the
// pinned region, ACTIVE, and if every model ARN of it names a region. All else
// is an error, and an error refuses the call: the control plane out of reach,
// access denied, a redirect, an ARN that does not parse. An answer is never used
// after its time, also if there is no newer one.
//
// A profile that lists a model without a region
// (arn:aws:bedrock:::foundation-model/…) runs in every commercial region; so does
// whatever is named "global.". Its destinations are "*", which only a "*" in
// Residency admits. An application profile that was made of a global one is told
// by the same sign.
//
// The control plane's host comes from [Options] alone, whatever
// AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_BEDROCK, shared configuration, endpoint
// resolvers and BaseEndpoint say. Requests are signed with SigV4 by the
// configuration's own credentials: AWS_BEARER_TOKEN_BEDROCK, which the SDK's
// control plane client would prefer, is not used, and anonymous credentials are
// refused. The application's API options and interceptors are not run, since a
// changed answer would move prompts. No redirect is followed.
//
// # What it does not
//
// It believes what the control plane says, and what it said up to 24 hours ago
// of a system profile (5 minutes of an application profile). AWS states that
// geographic profiles do not change.
//
// It says nothing about the guardrail. A guardrail can have a cross-region
// profile of its own ({us,us-gov,eu,uk,au,ca,apac}.guardrail.v1:0), by which
// prompts and answers are evaluated in other regions
// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-cross-region-support.html).
// No call to Bedrock Runtime shows that. Look at crossRegionDetails in the answer
// of GetGuardrail.
//
// It does not resolve an identifier that securebedrock.ParseModel refuses, an
// unknown prefix among them, nor prompts and prompt routers.
//
// # IAM
//
// The credentials need bedrock:GetInferenceProfile on the profiles, in the
// pinned region
// (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html):
//
//	{
//	  "Effect": "Allow",
//	  "Action": "bedrock:GetInferenceProfile",
//	  "Resource": [
//	    "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/*",
//	    "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/*"
//	  ]
//	}
//
// They are aws.Config.Credentials, not securebedrock.Options.Role: the resolver
// assumes no role. The example of [New] shows how to give it one.
package profiles
