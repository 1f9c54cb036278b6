package rules

import (
	"regexp"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// CheckModelID refuses an identifier that no model has, and a model that the operation
// does not take. extra holds identifiers of further models.
func CheckModelID(operation, id string, extra []string) error {
	if slices.Contains(extra, id) {
		return nil
	}
	unknown := wire.Invalid("The provided model identifier is invalid. (bedrocktest: WithModels adds a model that the server does not know.)")
	m, err := securebedrock.ParseModel(id)
	if err != nil {
		return unknown
	}
	name := id[strings.LastIndex(id, "/")+1:]
	switch m.Kind {
	case securebedrock.KindFoundationModel:
	case securebedrock.KindInferenceProfile:
		// An ARN may have any prefix. An ID must have a known one.
		profile, err := securebedrock.ParseModel(name)
		if err != nil || profile.Kind != securebedrock.KindInferenceProfile {
			return unknown
		}
		_, name, _ = strings.Cut(name, ".")
	case securebedrock.KindUnknown:
		return unknown
	default:
		// The server does not know which resources the account has.
		return nil
	}
	if slices.Contains(extra, name) {
		return nil
	}
	if !isKnownModel(name) {
		return unknown
	}
	if strings.HasPrefix(operation, "Converse") && !converses(name) {
		return wire.Invalid("This action doesn't support the model that you provided. Try again with a supported text or chat model.")
	}
	return nil
}

// naming is how a provider names its models: a name begins with one of heads, and its
// other words are among words.
type naming struct{ heads, words []string }

// namingOf returns how a provider names its models, after Supported foundation models
// (https://docs.aws.amazon.com/bedrock/latest/userguide/models-supported.html) and the
// model cards, as of 2026-11.
func namingOf(provider string) naming {
	list := strings.Fields
	switch provider {
	case "ai21":
		return naming{list("j jamba"), list("mid ultra grande jumbo instruct large mini")}
	case "amazon":
		return naming{list("nova titan rerank"), list("micro lite pro premier omni sonic reel canvas act text express large embed image generator multimodal embeddings")}
	case "anthropic":
		return naming{list("claude"), list("instant haiku sonnet opus fable mythos preview")}
	case "cohere":
		return naming{list("command embed rerank"), list("text light r plus a vision english multilingual")}
	case "deepseek":
		return naming{list("r v deepseek"), list("distill llama chat")}
	case "google":
		return naming{list("gemma"), list("it")}
	case "luma":
		return naming{list("ray"), nil}
	case "meta":
		return naming{list("llama"), list("instruct chat scout maverick vision")}
	case "minimax":
		return naming{list("minimax"), nil}
	case "mistral":
		return naming{list("mistral mixtral ministral magistral devstral voxtral pixtral codestral"), list("instruct large medium small mini")}
	case "moonshot", "moonshotai":
		return naming{list("kimi"), list("thinking instruct")}
	case "nvidia":
		return naming{list("nemotron"), list("nano super ultra")}
	case "openai":
		return naming{list("gpt"), list("oss safeguard mini nano pro codex luna sol terra astra")}
	case "qwen":
		return naming{list("qwen"), list("coder next vl omni instruct thinking")}
	case "stability":
		return naming{list("stable sd"), list("diffusion xl large image core ultra upscale creative conservative fast control sketch structure style guide " +
			"transfer inpaint outpaint erase object remove background search recolor replace")}
	case "twelvelabs":
		return naming{list("pegasus marengo"), list("embed")}
	case "writer":
		return naming{list("palmyra"), list("vision")}
	case "xai":
		return naming{list("grok"), list("fast code reasoning non mini")}
	case "zai":
		return naming{list("glm"), list("flash air")}
	}
	return naming{}
}

// isKnownModel reports whether a foundation model can have the name.
func isKnownModel(name string) bool {
	provider, rest, _ := strings.Cut(name, ".")
	f := namingOf(provider)
	parts := strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune("-.:_", r) })
	if len(parts) == 0 || !slices.Contains(f.heads, strings.TrimRight(parts[0], "0123456789")) {
		return false
	}
	words := 0
	for _, part := range parts[1:] {
		switch {
		case slices.Contains(f.words, part):
			words++
		case !isModelNumber(part):
			return false
		}
	}
	return isWholeName(provider, rest, words)
}

// isModelNumber reports whether part is a version, a date, a size or a context length:
// "3", "20240307", "v1", "70b", "8x7b", "a3b", "128k".
func isModelNumber(part string) bool {
	return part == "mm" || regexp.MustCompile(`^(?:[a-z]{0,2}[0-9]{1,3}[bk]?|[0-9]{4,8}|[0-9]+x[0-9]+b)$`).MatchString(part)
}

// isWholeName reports whether a name has the date or the version that every model of
// its provider has, and no date of another model.
func isWholeName(provider, rest string, words int) bool {
	version := regexp.MustCompile(`-v[0-9]+(?::[0-9]+)*(?::[0-9]+k|:mm)?$`)
	switch provider {
	case "anthropic":
		stem := regexp.MustCompile(`(?:-[0-9]{8})?(?:-v[0-9]+.*)?$`).ReplaceAllString(rest, "")
		if versions := anthropicVersions(stem); versions != nil {
			return slices.ContainsFunc(versions, func(v string) bool {
				return rest == stem+v || strings.HasPrefix(rest, stem+v+":")
			})
		}
		return words > 0 || strings.HasPrefix(rest, "claude-v")
	case "amazon":
		if strings.HasPrefix(rest, "nova") {
			return words > 0 && regexp.MustCompile(`-v[0-9]+:[0-9]+(?::[0-9]+k|:mm)?$`).MatchString(rest)
		}
		named := words > 0 || strings.HasPrefix(rest, "rerank")
		return named && version.MatchString(rest) || rest == "titan-tg1-large" || rest == "titan-embed-g1-text-02"
	case "meta":
		return version.MatchString(rest)
	}
	return true
}

// anthropicVersions returns what follows the name of a published model, nil for a
// model that is not known.
func anthropicVersions(stem string) []string {
	switch stem {
	case "claude-3-haiku":
		return []string{"-20240307-v1:0"}
	case "claude-3-sonnet", "claude-3-opus":
		return []string{"-20240229-v1:0"}
	case "claude-3-5-haiku":
		return []string{"-20241022-v1:0"}
	case "claude-3-5-sonnet":
		return []string{"-20240620-v1:0", "-20241022-v2:0"}
	case "claude-3-7-sonnet":
		return []string{"-20250219-v1:0"}
	case "claude-sonnet-4", "claude-opus-4":
		return []string{"-20250514-v1:0"}
	case "claude-opus-4-1":
		return []string{"-20250805-v1:0"}
	case "claude-sonnet-4-5":
		return []string{"-20250929-v1:0"}
	case "claude-haiku-4-5":
		return []string{"-20251001-v1:0"}
	case "claude-opus-4-5":
		return []string{"-20251101-v1:0"}
	}
	return nil
}

// converses reports whether Converse takes a model. It takes no embeddings, no
// rerankers and no models that answer with images, video or speech
// (https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html).
func converses(name string) bool {
	provider, rest, _ := strings.Cut(name, ".")
	if provider == "stability" || provider == "luma" {
		return false
	}
	for _, word := range []string{"embed", "rerank", "titan-image", "canvas", "reel", "sonic", "marengo"} {
		if strings.Contains(rest, word) {
			return false
		}
	}
	return true
}

// providerOf returns the provider and the name of the foundation model behind an
// identifier. Both are empty where the identifier does not show the model.
func providerOf(id string) (provider, name string) {
	m, err := securebedrock.ParseModel(id)
	if err != nil {
		return "", ""
	}
	name = id[strings.LastIndex(id, "/")+1:]
	switch m.Kind {
	case securebedrock.KindInferenceProfile:
		_, name, _ = strings.Cut(name, ".")
	case securebedrock.KindFoundationModel:
	default:
		return "", ""
	}
	provider, name, _ = strings.Cut(name, ".")
	return provider, name
}

// prefills reports whether a model of Anthropic's continues a conversation that ends
// with the assistant. Models with a date in their name do, and the oldest ones.
func prefills(model string) bool {
	if strings.HasPrefix(model, "claude-v") || strings.HasPrefix(model, "claude-instant") {
		return true
	}
	return slices.ContainsFunc(strings.Split(model, "-"), func(part string) bool { return len(part) == 8 && part[0] == '2' })
}
