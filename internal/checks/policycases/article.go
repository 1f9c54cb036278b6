package policycases

import (
	"embed"
	"strings"

	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

//go:embed testdata/article
var article embed.FS

// Article reads a policy of the article that package policy corrects, by the name of its
// file under testdata/article. The first word of the name is the kind.
func Article(name string) (policy.Document, error) {
	text, err := article.ReadFile("testdata/article/" + name + ".json")
	if err != nil {
		return policy.Document{}, err
	}
	word, _, _ := strings.Cut(name, "-")
	kind := policy.Kind(word)
	if word == "identity" {
		kind = policy.KindManaged
	}
	d, err := policy.Parse(text, kind)
	d.Name = name
	return d, err
}

// ArticleCase is a request and what a policy of the article says to it, which is not
// what its author wants.
type ArticleCase struct {
	Policy      string // a name of Article
	Fault       string // what is wrong
	Request     Request
	Allowed     bool
	Unsimulated string
}

// ArticleCases returns a row or more for each policy that IAM evaluates. Trust and key
// policies are no layer of policy.Decide.
func ArticleCases() []ArticleCase {
	const east, west, ohio = "us-east-1", "us-west-2", "us-east-2"
	const claude = "anthropic.claude-3-5-sonnet-20241022-v2:0"
	guard := "arn:aws:bedrock:" + east + ":" + AccountID + ":guardrail/" + GuardrailID
	loose := "arn:aws:bedrock:" + east + ":" + AccountID + ":guardrail/lax000000000:1"
	us := system(east, AccountID, "us."+claude)
	mantle := "arn:aws:bedrock-mantle:eu-west-1:" + AccountID + ":project/default"
	knowledge := "arn:aws:bedrock:" + east + ":" + AccountID + ":knowledge-base/KB12345678"
	const named = "iam-simulate takes no named principal in an endpoint policy"
	return []ArticleCase{
		{Policy: "scp-regions", Fault: "the profile's leg in a third region is denied, and with it now and then the call", Allowed: false,
			Request: ask(invoke, model(ohio, claude), ohio, profile, us, key, guard+":1")},
		{Policy: "scp-regions", Fault: "Mantle has a prefix of its own, and is open in every region", Allowed: true,
			Request: ask("bedrock-mantle:CreateInference", mantle, "eu-west-1")},
		{Policy: "scp-regions", Fault: "the leg in a listed region passes, so that the fault shows in some calls only", Allowed: true,
			Request: ask(invoke, model(west, claude), west, profile, us, key, guard+":1")},

		{Policy: "scp-guardrail", Fault: "bedrock:GuardrailArn is no key, so that the very call with the guardrail is denied", Allowed: false,
			Request: ask(invoke, model(east, claude), east, key, guard+":1")},
		{Policy: "scp-guardrail", Fault: "and every other call", Allowed: false,
			Request: ask(stream, model(east, Embedding), east)},

		{Policy: "scp-guardrail-null", Fault: "any lax guardrail of the account passes", Allowed: true,
			Request: ask(invoke, model(east, claude), east, key, loose)},
		{Policy: "scp-guardrail-null", Fault: "an embedding model takes no guardrail, and is denied", Allowed: false,
			Request: ask(invoke, model(east, Embedding), east)},

		{Policy: "scp-invoke-only", Fault: "the stream action stays open without a guardrail", Allowed: true,
			Request: ask(stream, model(east, claude), east)},
		{Policy: "scp-invoke-only", Fault: "batch jobs have no guardrail key, and stay open", Allowed: true,
			Request: ask("bedrock:CreateModelInvocationJob", model(east, claude), east)},

		{Policy: "identity-models", Fault: "the profile is another resource than its model, and is not allowed", Allowed: false,
			Request: ask(invoke, us, east)},
		{Policy: "identity-models", Fault: "nor is the model in the profile's other regions", Allowed: false,
			Request: ask(invoke, model(west, claude), west, profile, us)},
		{Policy: "identity-models", Fault: "a call without any guardrail is allowed", Allowed: true,
			Request: ask(invoke, model(east, claude), east)},

		{Policy: "identity-converse", Fault: "Converse has no action of its own: the call needs InvokeModel", Allowed: false,
			Request: ask(invoke, model(east, claude), east)},
		{Policy: "identity-converse", Fault: "ConverseStream needs InvokeModelWithResponseStream", Allowed: false,
			Request: ask(stream, model(east, claude), east)},

		{Policy: "identity-draft", Fault: "the ARN without a version is the draft, which changes under the application", Allowed: true,
			Request: ask(invoke, model(east, claude), east, key, guard)},
		{Policy: "identity-draft", Fault: "a published version is not allowed", Allowed: false,
			Request: ask(invoke, model(east, claude), east, key, guard+":1")},

		{Policy: "identity-knowledge-base", Fault: "RetrieveAndGenerate takes no resource, so that an ARN never allows it", Allowed: false,
			Request: ask("bedrock:RetrieveAndGenerate", "*", east)},
		{Policy: "identity-knowledge-base", Fault: "retrieval alone is allowed", Allowed: true,
			Request: ask("bedrock:Retrieve", knowledge, east)},

		{Policy: "endpoint-runtime", Fault: "the inference profile is shut out", Allowed: false,
			Request: through(ask(invoke, us, east, key, guard+":1"))},
		{Policy: "endpoint-runtime", Fault: "so is the model in the profile's other regions", Allowed: false,
			Request: through(ask(invoke, model(west, claude), west, profile, us, key, guard+":1"))},
		{Policy: "endpoint-runtime", Fault: "ApplyGuardrail is shut out, and with it every call once a guardrail is enforced", Allowed: false,
			Request: through(ask("bedrock:ApplyGuardrail", guard, east))},
		{Policy: "endpoint-runtime", Fault: "CountTokens is shut out", Allowed: false,
			Request: through(ask("bedrock:CountTokens", model(east, claude), east))},
		{Policy: "endpoint-runtime", Fault: "any principal passes", Allowed: true,
			Request: by("arn:aws:iam::"+OtherAccount+":role/stranger", through(ask(invoke, model(east, claude), east)))},
		{Policy: "endpoint-named", Fault: "the inference profile is shut out", Allowed: false, Unsimulated: named,
			Request: through(ask(invoke, us, east, key, guard+":1"))},
		{Policy: "endpoint-named", Fault: "the named role alone passes", Allowed: true, Unsimulated: named,
			Request: through(ask(invoke, model(east, claude), east, key, guard+":1"))},
	}
}
