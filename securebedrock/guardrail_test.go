package securebedrock

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// A content type that its owner changes after the rules is not what is sent.
func TestContentTypeIsACopy(t *testing.T) {
	rs := &ruleset{guardrail: Guardrail{ID: "abc", Version: "1"}}
	theirs := aws.String("application/json")
	field := theirs
	if err := rs.bodyCoverage([]byte(`{}`), &field); err != nil {
		t.Fatal(err)
	}
	*theirs = "text/plain"
	if *field != "application/json" {
		t.Errorf("%s would be sent", *field)
	}
}

// A body that passes holds no setting that makes the guardrail look away.
func FuzzBodyCoverage(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"messages":[]}`, `{"amazon-bedrock-guardrailConfig":{"tagSuffix":"x"}}`, `{"amazon-bedrock-guardrail\u0043onfig":{"tagSuffix":"x"}}`,
		`{"amazon-bedrock-guardrailConfig":{"streamProcessingMode":"SYNCHRONOUS"}}`, `{"a":"\u00e9","amazon-bedrock-guardrailConfig":{}}`,
		`["guardrailConfig"]`, `{"guardrailConfig":`, `null`, ``, `{"AMAZON-BEDROCK-GUARDRAILCONFIG":{"TAGSUFFIX":1}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		rs := &ruleset{guardrail: Guardrail{ID: "abc", Version: "1", Stream: types.GuardrailStreamProcessingModeSync}}
		var contentType *string
		err := rs.bodyCoverage(body, &contentType)
		if err != nil {
			if !errors.Is(err, ErrGuardrailCoverage) && !errors.Is(err, ErrGuardrailOverride) {
				t.Errorf("%v is no guardrail refusal", err)
			}
			return
		}
		var m map[string]json.RawMessage
		if json.Unmarshal(body, &m) != nil {
			return // no object: Bedrock refuses it
		}
		var c map[string]json.RawMessage
		if json.Unmarshal(m[bodyConfigKey], &c) != nil {
			return
		}
		if _, has := c["tagSuffix"]; has {
			t.Errorf("%s passed", body)
		}
		if mode, has := c["streamProcessingMode"]; has && !bytes.EqualFold(bytes.TrimSpace(mode), []byte(`"SYNCHRONOUS"`)) && !bytes.Contains(mode, []byte(`\`)) {
			t.Errorf("%s passed", body)
		}
	})
}
