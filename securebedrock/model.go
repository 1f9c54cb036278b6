package securebedrock

import (
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/internal/token"
)

// ModelKind says what a model identifier names. A value is the resource type in the
// identifier's ARN.
type ModelKind string

// The kinds of model identifier that Bedrock Runtime takes.
const (
	KindFoundationModel       ModelKind = "foundation-model"
	KindInferenceProfile      ModelKind = "inference-profile"             // system-defined, cross-region
	KindApplicationProfile    ModelKind = "application-inference-profile" // the account's own
	KindProvisionedModel      ModelKind = "provisioned-model"
	KindCustomModelDeployment ModelKind = "custom-model-deployment"
	KindImportedModel         ModelKind = "imported-model"
	KindPromptRouter          ModelKind = "prompt-router" // default-prompt-router too
	KindPrompt                ModelKind = "prompt"
	KindMarketplaceEndpoint   ModelKind = "endpoint" // SageMaker and marketplace/model-endpoint

	// KindUnknown is an ID of three words or more whose first word is neither a known
	// provider nor a known inference profile prefix. The ID is a profile of a new
	// geography, or a model of a new provider. Options.Profiles is asked.
	KindUnknown ModelKind = "unknown"
)

// Model is a parsed model identifier.
type Model struct {
	// ID is the identifier as the caller wrote it.
	ID string
	// Kind says what the identifier names.
	Kind ModelKind
	// Prefix is an inference profile's geography: "eu", "global"; otherwise empty. An
	// ARN can have a prefix that Geography does not know.
	Prefix string
	// Region and Account are those of an ARN; otherwise empty.
	Region, Account string
	// Regions are the regions in which inference may run. They are known after the rules
	// have resolved them. "*" stands for every commercial region. "*" also stands for
	// what a "*" in Options.Residency permits unresolved.
	Regions []string

	partition string
}

// ParseModel parses a model identifier: an ID or an ARN. It does not decide whether the
// model is permitted. Every error wraps ErrModel. With an error, the Model holds its ID
// alone. The ID, too, is empty where the text could be a prompt or a secret in the
// wrong place.
func ParseModel(id string) (Model, error) {
	m, err := parseModel(id)
	return m, named(err, "", "")
}

func parseModel(id string) (Model, error) {
	switch {
	case id == "":
		return Model{}, refuse(ErrModel, "no model identifier is given")
	// A text that cannot be an identifier is not repeated in the error: it may be a
	// prompt or a token in the wrong place.
	case len(id) > 2048: // the service's own limit, API_runtime_Converse
		return Model{}, refuse(ErrModel, "the identifier is longer than 2048 characters")
	case strings.ContainsFunc(id, token.NotIdentifier):
		return Model{}, refuse(ErrModel, "the identifier has a character that no model identifier has")
	case token.In(id):
		return Model{}, refuse(ErrModel, "the identifier holds what looks like a token or a key")
	}
	m, parse := Model{ID: id}, parseModelID
	if strings.HasPrefix(id, "arn:") {
		parse = parseModelARN
	}
	if err := parse(&m, id); err != nil {
		if !refusal.Repeatable(id) {
			id = ""
		}
		return Model{ID: id}, err
	}
	return m, nil
}

// parseModelID distinguishes "anthropic.claude-…" from "eu.anthropic.claude-…". A
// model's own name may contain a dot ("zai.glm-4.6"), so the first word decides where
// there are two dots or more. A first word that is neither a known prefix nor a known
// provider stays unknown. Taken for a provider, a prefix that AWS adds tomorrow would
// leave the region.
func parseModelID(m *Model, id string) error {
	head, rest, ok := strings.Cut(id, ".")
	if !ok || !isModelWord(head) || rest == "" || strings.Contains(id, "..") || strings.ContainsFunc(id, notModelID) {
		return refuse(ErrModel, refusal.Quoted(id)+" is neither a model ID, an inference profile ID nor an ARN")
	}
	switch {
	case regions.IsProfilePrefix(head):
		if !strings.Contains(rest, ".") {
			return refuse(ErrModel, refusal.Quoted(id)+" has an inference profile's prefix and no provider after it")
		}
		m.Kind, m.Prefix = KindInferenceProfile, head
	case !strings.Contains(rest, "."), isProvider(head):
		m.Kind = KindFoundationModel
	default:
		m.Kind = KindUnknown
	}
	return nil
}

// notModelID reports whether r cannot stand in a model or profile ID, which has no
// capitals (API_runtime_InvokeModel, modelId).
func notModelID(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || strings.ContainsRune("-_.:", r))
}

// isModelWord accepts the name of a provider, or a prefix.
func isModelWord(s string) bool {
	return s != "" && len(s) <= 63 && s[0] >= 'a' && s[0] <= 'z'
}

// isProvider accepts the providers whose model IDs can have a second dot, and the
// providers that inference profiles commonly name.
func isProvider(s string) bool {
	switch s {
	case "ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "luma", "meta", "minimax", "mistral",
		"moonshot", "moonshotai", "nvidia", "openai", "qwen", "stability", "twelvelabs", "writer", "xai", "zai":
		return true
	}
	return false
}

func parseModelARN(m *Model, id string) error {
	bad := func(why string) error { return refuse(ErrModel, "ARN "+refusal.Quoted(id)+": "+why) }
	arn, ok := regions.ParseARN(id)
	if !ok {
		return bad("it is not of the form arn:PARTITION:SERVICE:REGION:ACCOUNT:TYPE/NAME")
	}
	m.partition, m.Region, m.Account = arn.Partition, arn.Region, arn.Account
	kind, name, ok := strings.Cut(arn.Resource, "/")
	if !ok || kind == "" || name == "" || strings.HasPrefix(name, "/") || strings.Contains(id, "..") {
		return bad("it names no resource")
	}
	if m.Region == "" {
		return bad("it names no region")
	}
	if m.Account != "" && !regions.IsAccount(m.Account) {
		return bad("its account is not twelve digits")
	}
	switch {
	case arn.Service == "sagemaker" && kind == "endpoint":
		m.Kind = KindMarketplaceEndpoint
	case arn.Service != "bedrock":
		return bad("its service is not bedrock")
	case kind == "marketplace" && strings.HasPrefix(name, "model-endpoint/"):
		m.Kind = KindMarketplaceEndpoint
	case kind == "default-prompt-router":
		m.Kind = KindPromptRouter
	default:
		m.Kind = ModelKind(kind)
	}
	switch m.Kind {
	case KindFoundationModel:
		if m.Account != "" {
			return bad("a foundation model has no account")
		}
		var inner Model
		if err := parseModelID(&inner, name); err == nil && inner.Kind == KindInferenceProfile {
			return bad("a foundation model's name has no inference profile prefix")
		}
		return nil
	case KindInferenceProfile:
		prefix, rest, _ := strings.Cut(name, ".")
		if !isModelWord(prefix) || !strings.Contains(rest, ".") || strings.ContainsFunc(name, notModelID) {
			return bad("its inference profile has no prefix")
		}
		m.Prefix = prefix
	case KindApplicationProfile, KindProvisionedModel, KindCustomModelDeployment, KindImportedModel,
		KindPromptRouter, KindPrompt, KindMarketplaceEndpoint:
	default:
		return bad("its resource type is not one that a model can have")
	}
	if m.Account == "" {
		return bad("it names no account")
	}
	return nil
}

// matchPattern matches s against a pattern in which '*' is any run.
func matchPattern(pattern, s string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == s
	}
	if !strings.HasPrefix(s, parts[0]) {
		return false
	}
	s = s[len(parts[0]):]
	last := parts[len(parts)-1]
	for _, p := range parts[1 : len(parts)-1] {
		i := strings.Index(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return len(s) >= len(last) && strings.HasSuffix(s, last)
}
