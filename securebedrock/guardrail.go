package securebedrock

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// guardrailRule attaches the pinned guardrail. A caller's own setting passes
// where it is equal and is refused where it is not: replaced in silence, it
// would leave the caller believing in something that did not happen.
func guardrailRule(_ context.Context, g *guard, st *state, in any) error {
	if !st.op.guarded || g.unguarded != "" {
		return nil
	}
	r := &g.guardrail
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		c := shallow(in.GuardrailConfig)
		if err := r.pin(&c.GuardrailIdentifier, &c.GuardrailVersion); err != nil {
			return err
		}
		in.GuardrailConfig = c
		return pinValue("Trace", &c.Trace, r.Trace)
	case *bedrockruntime.ConverseStreamInput:
		c := shallow(in.GuardrailConfig)
		if err := r.pin(&c.GuardrailIdentifier, &c.GuardrailVersion); err != nil {
			return err
		}
		in.GuardrailConfig = c
		if err := pinValue("StreamProcessingMode", &c.StreamProcessingMode, r.Stream); err != nil {
			return err
		}
		return pinValue("Trace", &c.Trace, r.Trace)
	case *bedrockruntime.InvokeModelInput:
		if err := r.pin(&in.GuardrailIdentifier, &in.GuardrailVersion); err != nil {
			return err
		}
		return pinValue("Trace", &in.Trace, types.Trace(strings.ToUpper(string(r.Trace))))
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		if err := r.pin(&in.GuardrailIdentifier, &in.GuardrailVersion); err != nil {
			return err
		}
		return pinValue("Trace", &in.Trace, types.Trace(strings.ToUpper(string(r.Trace))))
	}
	return nil
}

// pin writes identifier and version, or refuses the caller's own.
func (r *Guardrail) pin(id, version **string) error {
	if *id != nil && !sameGuardrail(**id, r.ID) {
		return refuse(ErrGuardrailOverride, "the caller names guardrail "+quoted(**id)+" and Options pins "+quoted(r.ID)+"; leave it out")
	}
	if *version != nil && **version != r.Version {
		return refuse(ErrGuardrailOverride, "the caller names guardrail version "+quoted(**version)+" and Options pins "+quoted(r.Version)+"; leave it out")
	}
	*id, *version = aws.String(r.ID), aws.String(r.Version)
	return nil
}

func pinValue[T ~string](name string, field *T, want T) error {
	if *field != "" && *field != want {
		return refuse(ErrGuardrailOverride, "the caller sets guardrail "+name+" "+quoted(string(*field))+" and Options pins "+quoted(string(want))+"; leave it out")
	}
	*field = want
	return nil
}

// sameGuardrail compares two guardrails, each by ID or ARN. Two ARNs must agree
// wholly. An ID stands for a guardrail of the calling account, so an ARN agrees
// with it by its last part.
func sameGuardrail(a, b string) bool {
	aARN, bARN := strings.HasPrefix(a, "arn:"), strings.HasPrefix(b, "arn:")
	if aARN == bARN {
		return a == b
	}
	return guardrailID(a) == guardrailID(b)
}

func guardrailID(s string) string {
	if _, id, ok := strings.Cut(s, ":guardrail/"); ok && strings.HasPrefix(s, "arn:") {
		return id
	}
	return s
}

// coverageRule refuses a prompt of which the guardrail would see only a part.
// With any guardContent block only such blocks are scanned (User Guide,
// guardrails-use-converse-api); in an InvokeModel body a tag suffix does the
// same (guardrails-tagging).
func coverageRule(_ context.Context, g *guard, st *state, in any) error {
	if !st.op.guarded || g.unguarded != "" {
		return nil
	}
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		in.Messages, in.System = ownMessages(in.Messages), slices.Clone(in.System)
		return g.converseCoverage(in.AdditionalModelRequestFields, in.Messages, in.System)
	case *bedrockruntime.ConverseStreamInput:
		in.Messages, in.System = ownMessages(in.Messages), slices.Clone(in.System)
		return g.converseCoverage(in.AdditionalModelRequestFields, in.Messages, in.System)
	case *bedrockruntime.InvokeModelInput:
		in.Body = bytes.Clone(in.Body) // what is inspected is what is sent
		return g.bodyCoverage(in.Body, &in.ContentType)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		in.Body = bytes.Clone(in.Body)
		return g.bodyCoverage(in.Body, &in.ContentType)
	}
	return nil
}

// ownMessages copies the lists of blocks, so that the blocks that are looked at are
// those that are sent, whatever the caller does to its lists meanwhile.
func ownMessages(messages []types.Message) []types.Message {
	own := slices.Clone(messages)
	for i := range own {
		own[i].Content = slices.Clone(own[i].Content)
	}
	return own
}

func (g *guard) converseCoverage(extra document.Interface, messages []types.Message, system []types.SystemContentBlock) error {
	if err := extraFields(extra); err != nil {
		return err
	}
	if g.guardrail.AllowPartial {
		return nil
	}
	var tagged, untagged, unqualified bool
	for _, m := range messages {
		for _, b := range m.Content {
			switch b := b.(type) {
			case *types.ContentBlockMemberGuardContent:
				tagged = true
				unqualified = unqualified || !scanned(b.Value)
			case *types.ContentBlockMemberText:
				untagged = untagged || b.Value != ""
			case *types.ContentBlockMemberImage, *types.ContentBlockMemberDocument, *types.ContentBlockMemberVideo,
				*types.ContentBlockMemberAudio, *types.ContentBlockMemberCitationsContent, *types.ContentBlockMemberSearchResult:
				untagged = true
			}
		}
	}
	for _, b := range system {
		switch b := b.(type) {
		case *types.SystemContentBlockMemberGuardContent:
			tagged = true
			unqualified = unqualified || !scanned(b.Value)
		case *types.SystemContentBlockMemberText:
			untagged = untagged || b.Value != ""
		}
	}
	if unqualified {
		return refuse(ErrGuardrailCoverage, "a guardContent block is qualified as grounding_source or query alone, so contextual grounding would be its only check; add the qualifier guard_content to the block, or set Guardrail.AllowPartial")
	}
	if tagged && untagged {
		return refuse(ErrGuardrailCoverage, "some content stands in guardContent blocks, so the rest would go unscanned; put all of it or none of it in them, or set Guardrail.AllowPartial")
	}
	return nil
}

// scanned reports whether all policies look at a guardContent block. One that is
// qualified as a grounding source or a query, and not as guard_content too, is
// only compared with the answer.
func scanned(b types.GuardrailConverseContentBlock) bool {
	text, ok := b.(*types.GuardrailConverseContentBlockMemberText)
	return !ok || len(text.Value.Qualifiers) == 0 || slices.Contains(text.Value.Qualifiers, types.GuardrailConverseContentQualifierGuardContent)
}

// extraFields keeps a model's additional request fields to fields of the model:
// not another model, and no setting of Bedrock's.
func extraFields(fields document.Interface) error {
	if fields == nil {
		return nil
	}
	raw, err := fields.MarshalSmithyDocument()
	if err != nil {
		return refuse(ErrGuardrailOverride, "AdditionalModelRequestFields cannot be written as JSON")
	}
	var m map[string]json.RawMessage
	_ = json.Unmarshal(raw, &m) // what is no object has no keys, and Bedrock refuses it
	for key := range m {
		switch k := strings.ToLower(key); {
		case strings.HasPrefix(k, "amazon-bedrock-"), strings.HasPrefix(k, "guardrail"):
			return refuse(ErrGuardrailOverride, "AdditionalModelRequestFields hold a setting of the guardrail; leave it out")
		case k == "modelid", k == "model_id":
			return refuse(ErrModel, "AdditionalModelRequestFields name a model; leave it out")
		}
	}
	return nil
}

// bodyConfigKey is the guardrail's own key in an InvokeModel body.
const bodyConfigKey = "amazon-bedrock-guardrailConfig"

// bodyCoverage looks for guardrail settings in an InvokeModel body. Only the
// top-level keys are read, and only where one could be there.
func (g *guard) bodyCoverage(body []byte, contentType **string) error {
	if t := aws.ToString(*contentType); t == "" {
		// The SDK would send application/octet-stream, to which Bedrock applies
		// no guardrail (API_runtime_InvokeModel, guardrailIdentifier).
		*contentType = aws.String("application/json")
	} else if mt, _, err := mime.ParseMediaType(t); err != nil || mt != "application/json" {
		return refuse(ErrGuardrailCoverage, "a guardrail needs ContentType application/json, not "+quoted(t))
	}
	if !mentionsConfig(body) {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return refuse(ErrGuardrailCoverage, "a guardrail needs a body that is a JSON object")
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return refuse(ErrGuardrailCoverage, "a guardrail needs a body that is a JSON object")
		}
		var value json.RawMessage
		if err := dec.Decode(&value); err != nil {
			return refuse(ErrGuardrailCoverage, "a guardrail needs a body that is a JSON object")
		}
		if name, _ := key.(string); strings.EqualFold(name, bodyConfigKey) {
			if err := g.bodyConfig(value); err != nil {
				return err
			}
		}
	}
	if _, err := dec.Token(); err != nil {
		return refuse(ErrGuardrailCoverage, "a guardrail needs a body that is a JSON object")
	}
	if _, err := dec.Token(); err != io.EOF {
		return refuse(ErrGuardrailCoverage, "the body goes on after its JSON object")
	}
	return nil
}

// mentionsConfig reports whether a body can hold the key, in any case or escaped.
func mentionsConfig(body []byte) bool {
	const word = "guardrailConfig"
	for rest := body; ; {
		i := bytes.IndexAny(rest, `gG\`)
		switch {
		case i < 0:
			return false
		case rest[i] == '\\':
			if i+1 < len(rest) && rest[i+1] == 'u' {
				return true
			}
		case len(rest)-i >= len(word) && bytes.EqualFold(rest[i:i+len(word)], []byte(word)):
			return true
		}
		rest = rest[i+1:]
	}
}

// bodyConfig checks the settings: a tag suffix makes scanning selective, and
// the streaming mode is the pinned one's to choose.
func (g *guard) bodyConfig(raw json.RawMessage) error {
	var c map[string]json.RawMessage
	if err := json.Unmarshal(raw, &c); err != nil {
		return refuse(ErrGuardrailCoverage, bodyConfigKey+" in the body is not a JSON object")
	}
	for key, v := range c {
		switch strings.ToLower(key) {
		case "tagsuffix":
			if !g.guardrail.AllowPartial {
				return refuse(ErrGuardrailCoverage, "tagSuffix in the body leaves untagged content unscanned; take it out, or set Guardrail.AllowPartial")
			}
		case "streamprocessingmode":
			var mode string
			want := "SYNCHRONOUS"
			if g.guardrail.Stream == types.GuardrailStreamProcessingModeAsync {
				want = "ASYNCHRONOUS"
			}
			if err := json.Unmarshal(v, &mode); err != nil || !strings.EqualFold(mode, want) {
				return refuse(ErrGuardrailOverride, "streamProcessingMode in the body differs from Guardrail.Stream; leave it out")
			}
		default:
			return refuse(ErrGuardrailOverride, bodyConfigKey+" in the body has a field that is not known here; only tagSuffix and streamProcessingMode are")
		}
	}
	return nil
}
