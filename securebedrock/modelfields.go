package securebedrock

import (
	"bytes"
	"encoding/json"
	"math"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
)

// modelFields are the AdditionalModelRequestFields of a Converse, as JSON. The JSON is
// what is sent. A document is encoded once: a document that encodes differently the
// second time could otherwise pass the rules with other fields than it sends.
type modelFields struct {
	document.Interface
	raw []byte
}

// MarshalSmithyDocument implements document.Marshaler.
func (f *modelFields) MarshalSmithyDocument() ([]byte, error) { return f.raw, nil }

// freeze encodes a document. It returns nil where there is none.
func freeze(field *document.Interface) (*modelFields, error) {
	if *field == nil {
		return nil, nil
	}
	if own, ok := (*field).(*modelFields); ok {
		return own, nil
	}
	raw, err := (*field).MarshalSmithyDocument()
	if err != nil {
		return nil, refuse(ErrGuardrailOverride, "AdditionalModelRequestFields cannot be written as JSON")
	}
	raw = bytes.TrimSpace(raw)
	if !json.Valid(raw) || raw[0] != '{' && string(raw) != "null" {
		return nil, refuse(ErrGuardrailOverride, "AdditionalModelRequestFields are not one JSON object")
	}
	own := &modelFields{Interface: *field, raw: raw}
	*field = own
	return own, nil
}

// check restricts the fields to those of the model. They must not name another model or
// hold a setting of Bedrock's.
func (f *modelFields) check() error {
	if f == nil {
		return nil
	}
	for key := range members(f.raw) { // valid, see freeze
		switch k := strings.ToLower(key); {
		case strings.HasPrefix(k, "amazon-bedrock-"), strings.HasPrefix(k, "guardrail"):
			return refuse(ErrGuardrailOverride, "AdditionalModelRequestFields hold a setting of the guardrail; leave it out")
		case k == "modelid", k == "model_id":
			return refuse(ErrModel, "AdditionalModelRequestFields name a model; leave it out")
		}
	}
	return nil
}

// maxTokens returns the value of inferenceConfig.maxTokens that fits the fields, given
// the default. ok is false where the call must have no value.
func (f *modelFields) maxTokens(standard int32) (n int32, ok bool) {
	if f == nil {
		return standard, true
	}
	dec := json.NewDecoder(bytes.NewReader(f.raw))
	dec.UseNumber()
	var fields map[string]any
	if dec.Decode(&fields) != nil {
		return standard, true
	}
	b := tokenBounds{}
	b.read(fields)
	if b.stated {
		return 0, false
	}
	return int32(min(int64(standard)+b.budget, math.MaxInt32)), true
}

// tokenBounds is what a model's own fields say about the length of its answer.
type tokenBounds struct {
	// stated: the fields hold a bound, beside which Bedrock refuses another, or they ask
	// for Nova's high effort, which allows no bound
	// (https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html).
	stated bool
	// budget is the budget for thinking, which maxTokens must exceed (User Guide,
	// claude-messages-extended-thinking).
	budget int64
}

// read examines the keys of an object and of the objects in it. Some families put their
// bound at the top, others into a configuration of their own ("inferenceConfig",
// "textGenerationConfig"). Keys of tools, of the answer's format (a JSON schema has a
// maxLength) and of metadata are no settings.
func (b *tokenBounds) read(fields map[string]any) {
	for key, v := range fields {
		switch strings.ReplaceAll(strings.ToLower(key), "_", "") {
		case "maxtokens", "maxcompletiontokens", "maxnewtokens", "maxgenlen", "maxoutputtokens",
			"maxtokencount", "maxtokenstosample", "maxlength":
			b.stated = true
		case "maxreasoningeffort":
			b.stated = b.stated || v == "high"
		case "budgettokens":
			if n, ok := v.(json.Number); ok {
				if budget, err := n.Int64(); err == nil {
					b.budget = max(b.budget, min(budget, math.MaxInt32))
				}
			}
		case "tools", "toolconfig", "functions", "metadata", "responseformat", "outputformat", "outputconfig",
			"textformat", "schema", "jsonschema":
		default:
			if inner, ok := v.(map[string]any); ok {
				b.read(inner)
			}
		}
	}
}
