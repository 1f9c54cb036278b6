package securebedrock

import (
	"bytes"
	"encoding/json"
	"errors"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// Options of any text never panic, and every fault is an ErrConfig.
func FuzzOptions(f *testing.F) {
	f.Add("eu-central-1", "abc123", "4", "https://vpce.example", "arn:aws:iam::123456789012:role/app", "session", `{"a":1}`, "anthropic.*", int64(time.Hour), int64(3))
	f.Add("us-gov-west-1", "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:guardrail/abc", "DRAFT", "http://[::1]:80", "", "", "", "", int64(-1), int64(0))
	f.Add("eu-central-1.evil.com", "", "0", "https://user:hunter2@host", "arn::::::", "a b", "{", "*", int64(1), int64(-9))
	f.Fuzz(func(t *testing.T, region, guardrail, version, url, role, session, policy, model string, duration, attempts int64) {
		o := Options{
			Region: region, Residency: []string{region, model}, Guardrail: Guardrail{ID: guardrail, Version: version},
			Endpoint: Endpoint{URL: url}, Models: []string{model}, Retry: Retry{MaxAttempts: int(attempts)},
			Role: &Role{ARN: role, SessionName: session, Policy: policy, Duration: time.Duration(duration), Tags: map[string]string{session: policy}},
		}
		s, err := settle(o)
		if err == nil {
			e := s.endpoint
			if e.Host == "" || e.Scheme != "https" && !pinned.Loopback((&neturl.URL{Host: e.Host}).Hostname()) {
				t.Errorf("%q became %+v", url, e)
			}
			if o.Endpoint.URL == "" && !strings.HasPrefix(e.Host, "bedrock-runtime."+region+".") {
				t.Errorf("region %q became host %q", region, e.Host)
			}
			return
		}
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%v is no ErrConfig", err)
		}
	})
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

// Equality is reflexive and symmetric, and never holds between different IDs.
func FuzzSameGuardrail(f *testing.F) {
	const arn = "arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc"
	for _, pair := range [][2]string{{"abc", arn}, {arn, arn}, {"abc", "abd"}, {arn, arn + "x"}, {"", arn}, {"", ""},
		{arn, "arn:aws:bedrock:us-east-1:123456789012:guardrail/abc"}, {"arn:x:guardrail/abc", "abc"}} {
		f.Add(pair[0], pair[1])
	}
	f.Fuzz(func(t *testing.T, a, b string) {
		if !sameGuardrail(a, a) || sameGuardrail(a, b) != sameGuardrail(b, a) {
			t.Errorf("%q and %q", a, b)
		}
		if sameGuardrail(a, b) && guardrailID(a) != guardrailID(b) {
			t.Errorf("%q equals %q", a, b)
		}
		if isGuardrailID(a) && isGuardrailID(b) && sameGuardrail(a, b) != (a == b) {
			t.Errorf("%q and %q", a, b)
		}
	})
}
