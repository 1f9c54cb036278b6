package securebedrock

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
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
		return refuse(ErrGuardrailOverride, fmt.Sprintf("the caller names guardrail %q and Options pins %q; leave it out", **id, r.ID))
	}
	if *version != nil && **version != r.Version {
		return refuse(ErrGuardrailOverride, fmt.Sprintf("the caller names guardrail version %q and Options pins %q; leave it out", **version, r.Version))
	}
	*id, *version = aws.String(r.ID), aws.String(r.Version)
	return nil
}

func pinValue[T ~string](name string, field *T, want T) error {
	if *field != "" && *field != want {
		return refuse(ErrGuardrailOverride, fmt.Sprintf("the caller sets guardrail %s %q and Options pins %q; leave it out", name, *field, want))
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
		return g.converseCoverage(in.Messages, in.System)
	case *bedrockruntime.ConverseStreamInput:
		return g.converseCoverage(in.Messages, in.System)
	case *bedrockruntime.InvokeModelInput:
		in.Body = bytes.Clone(in.Body) // what is inspected is what is sent
		return g.bodyCoverage(in.Body, &in.ContentType)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		in.Body = bytes.Clone(in.Body)
		return g.bodyCoverage(in.Body, &in.ContentType)
	}
	return nil
}

func (g *guard) converseCoverage(messages []types.Message, system []types.SystemContentBlock) error {
	if g.guardrail.AllowPartial {
		return nil
	}
	var tagged, untagged bool
	for _, m := range messages {
		for _, b := range m.Content {
			switch b := b.(type) {
			case *types.ContentBlockMemberGuardContent:
				tagged = true
			case *types.ContentBlockMemberText:
				untagged = untagged || b.Value != ""
			case *types.ContentBlockMemberImage, *types.ContentBlockMemberDocument,
				*types.ContentBlockMemberCitationsContent, *types.ContentBlockMemberSearchResult:
				untagged = true
			}
		}
	}
	for _, b := range system {
		switch b := b.(type) {
		case *types.SystemContentBlockMemberGuardContent:
			tagged = true
		case *types.SystemContentBlockMemberText:
			untagged = untagged || b.Value != ""
		}
	}
	if tagged && untagged {
		return refuse(ErrGuardrailCoverage, "some content stands in guardContent blocks, so the rest would go unscanned; put all of it or none of it in them, or set Guardrail.AllowPartial")
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
		return refuse(ErrGuardrailCoverage, fmt.Sprintf("a guardrail needs ContentType application/json, not %q", t))
	}
	if !bytes.Contains(body, []byte("guardrailConfig")) && !bytes.Contains(body, []byte(`\u`)) {
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
			return refuse(ErrGuardrailOverride, fmt.Sprintf("%s in the body has a field %q that is not known here", bodyConfigKey, key))
		}
	}
	return nil
}
