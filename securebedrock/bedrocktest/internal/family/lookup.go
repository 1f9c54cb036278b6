package family

import (
	"encoding/json"
	"strings"
	"sync"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// Profiles holds the models behind identifiers that do not show them. The zero value
// is ready to use.
type Profiles struct {
	mu   sync.Mutex
	byID map[string]string
}

// Add names the model behind an identifier.
func (p *Profiles) Add(id, model string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID == nil {
		p.byID = make(map[string]string)
	}
	p.byID[id] = model
}

// behind returns the model that an identifier stands for. An identifier without an
// entry stands for itself.
func (p *Profiles) behind(id string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	// Profiles may name profiles. The bound ends a circle.
	for range 8 {
		model, known := p.byID[id]
		if !known {
			model, known = p.byID[id[strings.LastIndexByte(id, '/')+1:]]
		}
		if !known {
			break
		}
		id = model
	}
	return id
}

// Find returns the form of a request's model. Where the identifier shows no model, an
// unmistakable body decides.
func (p *Profiles) Find(id string, body []byte) (*Form, error) {
	model := p.behind(id)
	has := keysOf(body)
	if f := familyByName(model, has); f != nil {
		return f, nil
	}
	if provider, _ := splitModel(model); provider == "" {
		var version string
		_ = json.Unmarshal(has["schemaVersion"], &version)
		switch {
		case has["anthropic_version"] != nil:
			return anthropicFamily(), nil
		case version == "messages-v1":
			return novaFamily(), nil
		case has["inputText"] != nil:
			return titanText(), nil
		}
		return nil, wire.Invalid("bedrocktest cannot tell which model is behind %q. Name the model with Server.AddInferenceProfile, or answer with Server.ReplyInvoke.", id)
	}
	return nil, wire.Invalid("bedrocktest does not know the bodies of the model %q. Answer with Server.ReplyInvoke.", id)
}

// familyByName returns the form of a model, nil if the model is not known. Where a
// model takes two forms, the body's keys decide.
func familyByName(id string, has map[string]json.RawMessage) *Form {
	provider, name := splitModel(id)
	chat := has["messages"] != nil
	switch provider {
	case "anthropic":
		if !chat && has["prompt"] != nil {
			return claudeText()
		}
		return anthropicFamily()
	case "amazon":
		switch {
		case strings.HasPrefix(name, "nova-canvas"), strings.HasPrefix(name, "titan-image"):
			return amazonImage()
		case strings.HasPrefix(name, "nova-") && strings.Contains(name, "embed"):
			return novaEmbedding()
		case strings.HasPrefix(name, "nova-reel"), strings.HasPrefix(name, "nova-sonic"), strings.HasPrefix(name, "nova-2-sonic"):
			return nil // InvokeModel does not take these models
		case strings.HasPrefix(name, "nova-"):
			return novaFamily()
		case strings.HasPrefix(name, "titan-embed-image"):
			return titanEmbedding("image")
		case strings.HasPrefix(name, "titan-embed-text-v2"):
			return titanEmbedding("v2")
		case strings.HasPrefix(name, "titan-embed"):
			return titanEmbedding("v1")
		case strings.HasPrefix(name, "titan-text"), strings.HasPrefix(name, "titan-tg1"):
			return titanText()
		case strings.HasPrefix(name, "rerank"):
			return rerank()
		}
	case "cohere":
		switch {
		case strings.HasPrefix(name, "embed-v4"):
			return cohereEmbedding(1536)
		case strings.HasPrefix(name, "embed"):
			return cohereEmbedding(1024)
		case strings.HasPrefix(name, "rerank"):
			return rerank()
		case strings.HasPrefix(name, "command-r"):
			return commandR()
		case strings.HasPrefix(name, "command"):
			return cohereText()
		}
	case "meta":
		return llama()
	case "mistral":
		switch {
		case !chat:
			return mistralText()
		case strings.HasPrefix(name, "mistral-large-2402"), strings.HasPrefix(name, "mistral-large-2407"), strings.HasPrefix(name, "mistral-small-2402"):
			return mistralChat()
		}
		return openAI(false)
	case "ai21":
		if strings.HasPrefix(name, "j2-") {
			return jurassic()
		}
		return openAI(false)
	case "deepseek":
		if !chat {
			return deepSeekText()
		}
		return openAI(false)
	case "openai":
		return openAI(true)
	case "qwen", "google", "minimax", "moonshot", "moonshotai", "nvidia", "xai", "zai", "writer":
		return openAI(false)
	case "stability":
		if strings.HasPrefix(name, "stable-diffusion-xl") {
			return stableDiffusionXL()
		}
		return stabilityImage()
	case "twelvelabs":
		if strings.HasPrefix(name, "pegasus") {
			return pegasus()
		}
	}
	return nil
}
