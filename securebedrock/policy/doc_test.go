package policy

import (
	"strings"
	"testing"
)

// TestWhereTheArticleIsWrong: the policy as it is often written fails as the package's
// documentation says, and the document of this package does not.
func TestWhereTheArticleIsWrong(t *testing.T) {
	t.Parallel()
	opts, acct := european()
	acct.Organization = "o-abcdefghij"
	acct.Resources.KnowledgeBases = []KnowledgeBase{{ID: "KB12345678"}}
	acct.Resources.RetrieveAndGenerate = "the search page answers in sentences"
	s := specOf(t, opts, acct)
	documents := func(build builder) []Document {
		docs, err := build(s)
		if err != nil {
			t.Fatal(err)
		}
		return docs
	}
	agents, err := EndpointPolicy(s, "bedrock-agent-runtime")
	if err != nil {
		t.Fatal(err)
	}
	const base = "arn:aws:bedrock:eu-central-1:" + account + ":knowledge-base/KB12345678"
	everything := doc(KindManaged, allowing("Everything", nil, "*", "*"))
	model := strings.Replace(haiku, "eu-central-1", "*", 1)
	lax := strings.Replace(pinned, "gr1234567890", "lax", 1) + ":1"
	north := strings.Replace(haiku, "eu-central-1", "eu-north-1", 1)
	leg := in("eu-north-1", ask(invokeModelAction, north, guardrailKey, pinned+":3", "bedrock:InferenceProfileArn", profile))
	guarded := ask(invokeModelAction, haiku, guardrailKey, pinned+":3")
	embedding := strings.Replace(haiku, "anthropic.claude-3-haiku-20240307-v1:0", titan, 1)

	for _, c := range []struct {
		about   string
		article Document
		ours    []Document
		req     Request
		right   bool // what must be; the article has the opposite
	}{
		{
			"bedrock:GuardrailArn is no key, so that the call with the guardrail is denied, too",
			doc(KindSCP, denying("Guardrail", when("StringNotEquals", "bedrock:GuardrailArn", pinned+":3"), "*", modelActions()...)),
			documents(RequireGuardrail), guarded, true,
		},
		{
			"Null on the right key is passed with a lax guardrail",
			doc(KindSCP, denying("Guardrail", when("Null", guardrailKey, "true"), "*", modelActions()...)),
			documents(RequireGuardrail), ask(invokeModelAction, haiku, guardrailKey, lax), false,
		},
		{
			"a denial of InvokeModel alone leaves the stream action open",
			doc(KindSCP, denying("Guardrail", when("StringNotEquals", guardrailKey, pinned+":3"), "*", invokeModelAction)),
			documents(RequireGuardrail), ask(streamAction, haiku), false,
		},
		{
			"Converse has no action of its own",
			doc(KindSCP, denying("Guardrail", when("StringNotEquals", guardrailKey, pinned+":3"), "*", "bedrock:Converse", "bedrock:ConverseStream")),
			documents(RequireGuardrail), ask(invokeModelAction, haiku), false,
		},
		{
			"DRAFT in production passes with any change that somebody makes to the draft",
			doc(KindSCP, denying("Guardrail", when("StringNotLike", guardrailKey, pinned+"*"), "*", modelActions()...)),
			documents(RequireGuardrail), ask(invokeModelAction, haiku, guardrailKey, pinned), false,
		},
		{
			"an embedding model takes no guardrail, and a rule on * stops it",
			doc(KindSCP, denying("Guardrail", when("StringNotEquals", guardrailKey, pinned+":3"), "*", modelActions()...)),
			documents(RequireGuardrail), ask(invokeModelAction, embedding), true,
		},
		{
			"bedrock:* leaves Mantle open in every region",
			doc(KindSCP, denying("Regions", when("StringNotEquals", "aws:RequestedRegion", "eu-central-1"), "*", "bedrock:*")),
			documents(DenyRegions), in("us-east-1", ask("bedrock-mantle:CreateInference", "*")), false,
		},
		{
			"the source region alone stops the profile in its other regions",
			doc(KindSCP, denying("Regions", when("StringNotEquals", "aws:RequestedRegion", "eu-central-1"), "*", "bedrock:*")),
			documents(DenyRegions), leg, true,
		},
		{
			"foundation-model ARNs alone stop the inference profile",
			doc(KindManaged, allowing("Invoke", nil, model, modelActions()...)),
			documents(Invoke), ask(invokeModelAction, profile, guardrailKey, pinned+":3"), true,
		},
		{
			"foundation-model ARNs alone stop the inference profile at the endpoint",
			doc(KindEndpoint, forAll(allowing("Invoke", nil, model, modelActions()...))),
			documents(endpoints), through(ask(invokeModelAction, profile, guardrailKey, pinned+":3")), true,
		},
		{
			"the endpoint policy shuts out ApplyGuardrail, and every call under an enforced guardrail",
			doc(KindEndpoint, forAll(allowing("Invoke", nil, model, modelActions()...))),
			documents(endpoints), through(ask("bedrock:ApplyGuardrail", strings.Replace(pinned, "gr1234567890", "enforced", 1))), true,
		},
		{
			"the endpoint policy shuts out the counting of tokens",
			doc(KindEndpoint, forAll(allowing("Invoke", nil, model, modelActions()...))),
			documents(endpoints), through(ask("bedrock:CountTokens", embedding)), true,
		},
		{
			"RetrieveAndGenerate takes no resource, and a knowledge base's ARN never allows it",
			doc(KindEndpoint, forAll(allowing("Base", nil, base, "bedrock:Retrieve", "bedrock:RetrieveAndGenerate"))),
			agents, through(ask("bedrock:RetrieveAndGenerate", "*")), true,
		},
	} {
		t.Run(c.about, func(t *testing.T) {
			t.Parallel()
			decide := func(docs ...Document) bool {
				if docs[0].Kind != KindManaged {
					docs = append(docs, everything)
				}
				got, err := Decide(docs, c.req)
				if err != nil {
					t.Fatal(err)
				}
				return got.Allowed
			}
			if got := decide(c.article); got == c.right {
				t.Errorf("the policy as it is often written allows is %v, and that is right", got)
			}
			if c.ours[0].Kind == KindEndpoint {
				c.ours = c.ours[:1] // an endpoint has one policy
			}
			if got := decide(c.ours...); got != c.right {
				t.Errorf("the document of this package allows is %v, want %v", got, c.right)
			}
		})
	}
}
