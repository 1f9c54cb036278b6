// Package profiles asks Bedrock itself where an inference profile, a prompt router
// or a managed prompt runs. A [Resolver] is a securebedrock.ProfileResolver over
// GetInferenceProfile and GetPromptRouter of the control plane and GetPrompt of
// bedrock-agent, for Options.Profiles:
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
// Application inference profiles, prompt routers and managed prompts, whose
// destinations no ARN tells; profiles whose prefix is new; and the exact
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
// A prompt router runs where any of its models and its fallback run, a prompt where
// the model of any of its variants runs. Each of them is asked about in turn where
// it is a profile or, in a prompt, a router. A variant that runs an agent is an
// error. The draft of a prompt (an ARN without a version) changes with every edit:
// it is asked for with every call, and can still change between question and call.
// Name a published version.
//
// The hosts come from [Options] alone, whatever AWS_ENDPOINT_URL,
// AWS_ENDPOINT_URL_BEDROCK, AWS_ENDPOINT_URL_BEDROCK_AGENT, shared configuration, endpoint
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
// An ID of three words or more whose first is not known ("amer.provider.model")
// is asked for as an inference profile. The model of a new provider is none, and
// the call is refused: name such a model by its ARN.
//
// It does not compare accounts: securebedrock.Options.Accounts does so for what a
// caller names, and the models within a router or a prompt are the owner's who
// made it.
//
// # IAM
//
// The credentials need bedrock:GetInferenceProfile on the profiles, and, where they
// are used, bedrock:GetPromptRouter and bedrock:GetPrompt, in the pinned region
// (https://docs.aws.amazon.com/bedrock/latest/userguide/inference-profiles-prereq.html):
//
//	{
//	  "Effect": "Allow",
//	  "Action": ["bedrock:GetInferenceProfile", "bedrock:GetPromptRouter", "bedrock:GetPrompt"],
//	  "Resource": [
//	    "arn:aws:bedrock:eu-central-1:123456789012:inference-profile/*",
//	    "arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/*",
//	    "arn:aws:bedrock:eu-central-1:123456789012:prompt-router/*",
//	    "arn:aws:bedrock:eu-central-1:123456789012:default-prompt-router/*",
//	    "arn:aws:bedrock:eu-central-1:123456789012:prompt/*"
//	  ]
//	}
//
// They are aws.Config.Credentials, not securebedrock.Options.Role: the resolver
// assumes no role. The example of [New] shows how to give it one.
package profiles
