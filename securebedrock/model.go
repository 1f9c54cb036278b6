package securebedrock

import (
	"fmt"
	"strings"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// ModelKind says what a model identifier names. The values are the resource
// types of its ARN.
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
)

// Model is a parsed model identifier.
type Model struct {
	// ID is the identifier as the caller wrote it.
	ID string
	// Kind is what it names.
	Kind ModelKind
	// Prefix is an inference profile's geography: "eu", "global"; else empty.
	Prefix string
	// Region and Account are an ARN's own; else empty.
	Region, Account string
	// Regions are the regions in which inference may run, known after the rules
	// have resolved them. "*" stands for every commercial region.
	Regions []string

	partition string
}

// ParseModel parses a model identifier: an ID or an ARN. It does not decide
// whether the model is permitted. Every error wraps ErrModel; the Model then has
// at most its ID, and not even that where the text cannot be an identifier.
func ParseModel(id string) (Model, error) {
	m := Model{ID: id}
	switch {
	case id == "":
		return m, refuse(ErrModel, "no model identifier is given")
	// What cannot be an identifier is not repeated: it may be a prompt in the
	// wrong place.
	case len(id) > 2048: // the service's own limit, API_runtime_Converse
		return Model{}, refuse(ErrModel, "the identifier is longer than 2048 characters")
	case strings.ContainsFunc(id, notIdentifier):
		return Model{}, refuse(ErrModel, "the identifier has a character that no model identifier has")
	case strings.HasPrefix(id, "arn:"):
		return parseModelARN(m)
	}
	return m, parseModelID(&m, id)
}

// notIdentifier keeps out white space, control characters and anything that
// could change a URL's path.
func notIdentifier(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' ||
		strings.ContainsRune("-_.:/", r))
}

// parseModelID tells "anthropic.claude-…" from "eu.anthropic.claude-…". A model's
// own name may hold a dot ("zai.glm-4.6"), so with two dots or more the first
// word decides, and one that is neither a known prefix nor a known provider is
// refused: taken for a provider, a prefix that AWS adds tomorrow would leave the
// region.
func parseModelID(m *Model, id string) error {
	head, rest, ok := strings.Cut(id, ".")
	if !ok || head == "" || rest == "" || strings.Contains(id, "/") || strings.Contains(id, "..") {
		return refuse(ErrModel, fmt.Sprintf("%q is neither a model ID, an inference profile ID nor an ARN", id))
	}
	switch {
	case isProfilePrefix(head):
		if !strings.Contains(rest, ".") {
			return refuse(ErrModel, fmt.Sprintf("%q has an inference profile's prefix and no provider after it", id))
		}
		m.Kind, m.Prefix = KindInferenceProfile, head
	case !strings.Contains(rest, "."), isProvider(head):
		m.Kind = KindFoundationModel
	default:
		return refuse(ErrModel, fmt.Sprintf("%q begins with neither a known provider nor a known inference profile prefix; name the model by its ARN", id))
	}
	return nil
}

// isProvider knows the providers whose model IDs can hold a second dot, beside
// those that inference profiles are commonly made of.
func isProvider(s string) bool {
	switch s {
	case "ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "luma", "meta", "minimax", "mistral",
		"moonshot", "moonshotai", "nvidia", "openai", "qwen", "stability", "twelvelabs", "writer", "xai", "zai":
		return true
	}
	return false
}

func parseModelARN(m Model) (Model, error) {
	bad := func(why string) (Model, error) {
		return m, refuse(ErrModel, fmt.Sprintf("ARN %q: %s", m.ID, why))
	}
	parts := strings.SplitN(m.ID, ":", 6)
	if len(parts) != 6 {
		return bad("it has fewer than six parts")
	}
	m.partition, m.Region, m.Account = parts[1], parts[3], parts[4]
	service, resource := parts[2], parts[5]
	kind, name, ok := strings.Cut(resource, "/")
	if !ok || kind == "" || name == "" || strings.HasPrefix(name, "/") || strings.Contains(m.ID, "..") {
		return bad("it names no resource")
	}
	if m.partition == "" || m.Region == "" {
		return bad("it names no partition or no region")
	}
	if m.Account != "" && !isAccount(m.Account) {
		return bad("its account is not twelve digits")
	}
	needsAccount := true
	switch {
	case service == "sagemaker" && kind == "endpoint":
		m.Kind = KindMarketplaceEndpoint
	case service != "bedrock":
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
		needsAccount = false
		if m.Account != "" {
			return bad("a foundation model has no account")
		}
		var inner Model
		if err := parseModelID(&inner, name); err == nil && inner.Kind != KindFoundationModel {
			return bad("a foundation model's name has no inference profile prefix")
		}
	case KindInferenceProfile:
		var inner Model
		if err := parseModelID(&inner, name); err != nil || inner.Kind != KindInferenceProfile {
			return bad("its inference profile has no prefix that is known here")
		}
		m.Prefix = inner.Prefix
	case KindApplicationProfile, KindProvisionedModel, KindCustomModelDeployment, KindImportedModel,
		KindPromptRouter, KindPrompt, KindMarketplaceEndpoint:
	default:
		return bad("its resource type is not one that a model can have")
	}
	if needsAccount && m.Account == "" {
		return bad("it names no account")
	}
	return m, nil
}

func isAccount(s string) bool { return regions.IsAccount(s) }

// partitionOf gives the partition of a region; empty for what is no region.
func partitionOf(region string) string {
	p, _ := regions.Of(region)
	return p.ID
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
