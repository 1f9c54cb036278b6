package securebedrock

import (
	"bytes"
	"context"
	"encoding/json"
	"mime"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	blocks "github.com/securebedrock/securebedrock-go/internal/content"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// guardrailRule attaches the pinned guardrail. A caller's own setting passes where it
// equals the pinned one and is refused otherwise. A silent replacement would leave the
// caller with a false belief.
func guardrailRule(_ context.Context, rs *ruleset, j judgement, in any) error {
	if !j.op.guarded || rs.unguarded != "" {
		return nil
	}
	r := &rs.guardrail
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
	return j.op.foreign(in)
}

// pin writes the identifier and the version. It refuses the caller's own where they
// differ.
func (g *Guardrail) pin(id, version **string) error {
	if *id != nil && !sameGuardrail(**id, g.ID) {
		return refuse(ErrGuardrailOverride, "the caller names guardrail "+refusal.Quoted(**id)+" and Options pins "+refusal.Quoted(g.ID)+"; leave it out")
	}
	if *version != nil && **version != g.Version {
		return refuse(ErrGuardrailOverride, "the caller names guardrail version "+refusal.Quoted(**version)+" and Options pins "+refusal.Quoted(g.Version)+"; leave it out")
	}
	*id, *version = aws.String(g.ID), aws.String(g.Version)
	return nil
}

func pinValue[T ~string](name string, field *T, want T) error {
	if *field != "" && *field != want {
		return refuse(ErrGuardrailOverride, "the caller sets guardrail "+name+" "+refusal.Quoted(string(*field))+" and Options pins "+refusal.Quoted(string(want))+"; leave it out")
	}
	*field = want
	return nil
}

// coverageRule refuses a prompt of which the guardrail would see only a part. Where a
// Converse has any guardContent block, only such blocks are scanned (User Guide,
// guardrails-use-converse-api). A tag suffix in an InvokeModel body has the same effect
// (guardrails-tagging).
func coverageRule(_ context.Context, rs *ruleset, j judgement, in any) error {
	if !j.op.guarded || rs.unguarded != "" {
		return nil
	}
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		in.Messages, in.System = blocks.OwnMessages(in.Messages), slices.Clone(in.System)
		return rs.converseCoverage(&in.AdditionalModelRequestFields, in.Messages, in.System)
	case *bedrockruntime.ConverseStreamInput:
		in.Messages, in.System = blocks.OwnMessages(in.Messages), slices.Clone(in.System)
		return rs.converseCoverage(&in.AdditionalModelRequestFields, in.Messages, in.System)
	case *bedrockruntime.InvokeModelInput:
		in.Body = bytes.Clone(in.Body) // what is inspected is what is sent
		return rs.bodyCoverage(in.Body, &in.ContentType)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		in.Body = bytes.Clone(in.Body)
		return rs.bodyCoverage(in.Body, &in.ContentType)
	}
	return j.op.foreign(in)
}

func (rs *ruleset) converseCoverage(extra *document.Interface, messages []types.Message, system []types.SystemContentBlock) error {
	fields, err := freeze(extra)
	if err != nil {
		return err
	}
	if err := fields.check(); err != nil {
		return err
	}
	if rs.guardrail.AllowPartial {
		return nil
	}
	var tagged, untagged, unqualified bool
	for _, m := range messages {
		for i, b := range m.Content {
			if guarded, ok := b.(*types.ContentBlockMemberGuardContent); ok {
				own := ownGuard(guarded.Value)
				m.Content[i] = &types.ContentBlockMemberGuardContent{Value: own}
				tagged, unqualified = true, unqualified || !scanned(own)
			} else if blocks.BlockCoverage(b) == blocks.Plain {
				untagged = true
			}
		}
	}
	for i, b := range system {
		if guarded, ok := b.(*types.SystemContentBlockMemberGuardContent); ok {
			own := ownGuard(guarded.Value)
			system[i] = &types.SystemContentBlockMemberGuardContent{Value: own}
			tagged, unqualified = true, unqualified || !scanned(own)
		} else if blocks.SystemCoverage(b) == blocks.Plain {
			untagged = true
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

// ownGuard copies what scanned examines. An input can change between the rules and the
// serializer: other goroutines hold it, and a document in it is the caller's code.
func ownGuard(b types.GuardrailConverseContentBlock) types.GuardrailConverseContentBlock {
	if text, ok := b.(*types.GuardrailConverseContentBlockMemberText); ok {
		text = shallow(text)
		text.Value.Qualifiers = slices.Clone(text.Value.Qualifiers)
		return text
	}
	return b
}

// scanned reports whether all policies examine a guardContent block. A block that is
// qualified as a grounding source or a query, and not as guard_content, is only
// compared with the answer.
func scanned(b types.GuardrailConverseContentBlock) bool {
	text, ok := b.(*types.GuardrailConverseContentBlockMemberText)
	return !ok || len(text.Value.Qualifiers) == 0 || slices.Contains(text.Value.Qualifiers, types.GuardrailConverseContentQualifierGuardContent)
}

// bodyConfigKey is the guardrail's own key in an InvokeModel body.
const bodyConfigKey = "amazon-bedrock-guardrailConfig"

// bodyCoverage requires a body that can be inspected: one JSON object in UTF-8. It
// checks the guardrail settings in the body.
func (rs *ruleset) bodyCoverage(body []byte, contentType **string) error {
	t := aws.ToString(*contentType)
	if t == "" {
		// The SDK would send application/octet-stream, to which Bedrock applies
		// no guardrail (API_runtime_InvokeModel, guardrailIdentifier).
		t = "application/json"
	} else if mt, params, err := mime.ParseMediaType(t); err != nil || mt != "application/json" {
		return refuse(ErrGuardrailCoverage, "a guardrail needs ContentType application/json, not "+refusal.Quoted(t))
	} else if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return refuse(ErrGuardrailCoverage, "a guardrail needs a body in UTF-8, and ContentType says "+refusal.Quoted(t))
	}
	*contentType = &t // what was checked, and not the caller's
	// A number or a list has no settings. A text in another encoding could hide them.
	// json.Valid accepts any bytes in a string.
	if !utf8.Valid(body) || !json.Valid(body) || bytes.TrimLeft(body, jsonSpace)[0] != '{' {
		return refuse(ErrGuardrailCoverage, "a guardrail needs a body that is one JSON object in UTF-8, without a byte order mark and with nothing after the object")
	}
	seen, configured := make(map[string]bool), false
	for key, value := range members(body) {
		// A key that stands twice is one thing to one reader and another to the next.
		if seen[key] {
			return refuse(ErrGuardrailCoverage, "a key stands twice at the top of the body; leave one of them out")
		}
		seen[key] = true
		if !strings.EqualFold(key, bodyConfigKey) {
			continue
		}
		if configured {
			return refuse(ErrGuardrailOverride, "the body holds "+bodyConfigKey+" twice, in two spellings; leave one of them out")
		}
		configured = true
		if err := rs.bodyConfig(value); err != nil {
			return err
		}
	}
	return nil
}

// bodyConfig checks the settings. A tag suffix makes scanning selective. The streaming
// mode must be the pinned one.
func (rs *ruleset) bodyConfig(raw []byte) error {
	if raw[0] != '{' {
		return refuse(ErrGuardrailCoverage, bodyConfigKey+" in the body is not a JSON object")
	}
	seen := make(map[string]bool)
	for key, value := range members(raw) {
		name := strings.ToLower(key)
		if seen[name] {
			return refuse(ErrGuardrailOverride, bodyConfigKey+" in the body has a field twice; leave one of them out")
		}
		seen[name] = true
		switch name {
		case "tagsuffix":
			if !rs.guardrail.AllowPartial {
				return refuse(ErrGuardrailCoverage, "tagSuffix in the body leaves untagged content unscanned; take it out, or set Guardrail.AllowPartial")
			}
		case "streamprocessingmode":
			var mode string
			want := "SYNCHRONOUS"
			if rs.guardrail.Stream == types.GuardrailStreamProcessingModeAsync {
				want = "ASYNCHRONOUS"
			}
			if err := json.Unmarshal(value, &mode); err != nil || !strings.EqualFold(mode, want) {
				return refuse(ErrGuardrailOverride, "streamProcessingMode in the body differs from Guardrail.Stream; leave it out")
			}
		default:
			return refuse(ErrGuardrailOverride, bodyConfigKey+" in the body has a field that is not known here; only tagSuffix and streamProcessingMode are")
		}
	}
	return nil
}
