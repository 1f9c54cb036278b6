package securebedrock_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

func TestParseModel(t *testing.T) {
	const arn = "arn:aws:bedrock:eu-central-1:123456789012:"
	for _, row := range []struct {
		id     string
		kind   securebedrock.ModelKind // empty: refused
		prefix string
	}{
		{"anthropic.claude-3-haiku-20240307-v1:0", securebedrock.KindFoundationModel, ""},
		{"amazon.nova-lite-v1:0:300k", securebedrock.KindFoundationModel, ""},
		{"openai.gpt-oss-120b-1:0", securebedrock.KindFoundationModel, ""},
		{"zai.glm-4.6", securebedrock.KindFoundationModel, ""},
		{"newcomer.model-v1:0", securebedrock.KindFoundationModel, ""},
		{"eu.anthropic.claude-sonnet-4-20250514-v1:0", securebedrock.KindInferenceProfile, "eu"},
		{"us-gov.anthropic.claude-3-haiku-20240307-v1:0", securebedrock.KindInferenceProfile, "us-gov"},
		{"global.zai.glm-4.6", securebedrock.KindInferenceProfile, "global"},
		{"in.anthropic.claude-haiku-4-5-20251001-v1:0", securebedrock.KindInferenceProfile, "in"},
		{"arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-lite-v1:0", securebedrock.KindFoundationModel, ""},
		{"arn:aws:bedrock:eu-central-1::foundation-model/newcomer.model-4.5", securebedrock.KindFoundationModel, ""},
		{arn + "inference-profile/eu.amazon.nova-lite-v1:0", securebedrock.KindInferenceProfile, "eu"},
		{arn + "inference-profile/mars.amazon.nova", securebedrock.KindInferenceProfile, "mars"}, // of a geography that is new
		{"mars.anthropic.claude-v1", securebedrock.KindUnknown, ""},
		{"newcomer.model-4.5", securebedrock.KindUnknown, ""},
		{arn + "application-inference-profile/abc123", securebedrock.KindApplicationProfile, ""},
		{arn + "provisioned-model/abc123", securebedrock.KindProvisionedModel, ""},
		{arn + "custom-model-deployment/abc123", securebedrock.KindCustomModelDeployment, ""},
		{arn + "imported-model/abc123", securebedrock.KindImportedModel, ""},
		{arn + "default-prompt-router/anthropic.claude:1", securebedrock.KindPromptRouter, ""},
		{arn + "prompt-router/abc123", securebedrock.KindPromptRouter, ""},
		{arn + "prompt/ABCDEFGHIJ:1", securebedrock.KindPrompt, ""},
		{arn + "marketplace/model-endpoint/all-access", securebedrock.KindMarketplaceEndpoint, ""},
		{"arn:aws:sagemaker:eu-central-1:123456789012:endpoint/my-endpoint", securebedrock.KindMarketplaceEndpoint, ""},

		{"", "", ""},
		{"claude", "", ""},
		{"abcdef123456", "", ""}, // a provisioned model's bare ID does not say where it runs
		{".claude", "", ""},
		{"anthropic.", "", ""},
		{"us.claude", "", ""},
		{"anthropic.Claude-v1", "", ""},
		{"9mars.anthropic.claude-v1", "", ""},
		{"anthropic..claude", "", ""},
		{"anthropic.claude/../x", "", ""},
		{"anthropic.claude?x=1", "", ""},
		{"anthropic.claude#x", "", ""},
		{"anthropic.claude%2F", "", ""},
		{"anthropic. claude", "", ""},
		{"anthropic.claude\n", "", ""},
		{"anthropic.clаude", "", ""}, // a Cyrillic а
		{strings.Repeat("a", 2049), "", ""},
		{"arn:aws:bedrock:eu-central-1", "", ""},
		{"arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc", "", ""},
		{"arn:aws:s3:eu-central-1:123456789012:foundation-model/x.y", "", ""},
		{"arn:aws:bedrock::123456789012:provisioned-model/abc", "", ""},
		{"arn:aws:bedrock:eu-central-1::provisioned-model/abc", "", ""},
		{"arn:aws:bedrock:eu-central-1:12:provisioned-model/abc", "", ""},
		{"arn:aws:bedrock:eu-central-1:123456789012:foundation-model/a.b", "", ""},
		{"arn:aws:bedrock:eu-central-1::foundation-model/us.amazon.nova-lite-v1:0", "", ""},
		{arn + "inference-profile/amazon.nova", "", ""},
		{arn + "inference-profile/MARS.amazon.nova", "", ""},
		{arn + "provisioned-model/", "", ""},
		{arn + "provisioned-model", "", ""},
	} {
		m, err := securebedrock.ParseModel(row.id)
		if row.kind == "" {
			if !errors.Is(err, securebedrock.ErrModel) {
				t.Errorf("%q was taken for %+v, %v", row.id, m, err)
			}
			continue
		}
		if err != nil || m.ID != row.id || m.Kind != row.kind || m.Prefix != row.prefix {
			t.Errorf("%q was taken for %+v, %v", row.id, m, err)
		}
	}
}

func FuzzParseModel(f *testing.F) {
	for _, s := range []string{haiku, "eu." + haiku, "global.zai.glm-4.6", "arn:aws:bedrock:eu-central-1::foundation-model/a.b",
		"arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.a.b", "arn::::::", "..", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, id string) {
		m, err := securebedrock.ParseModel(id)
		if m.ID != id && (err == nil || m.ID != "") {
			t.Errorf("the identifier became %q", m.ID)
		}
		if err != nil {
			if !errors.Is(err, securebedrock.ErrModel) {
				t.Errorf("%v is no ErrModel", err)
			}
			return
		}
		if m.Kind == "" || strings.ContainsAny(id, " \t\r\n?#%\\") || strings.Contains(id, "..") {
			t.Errorf("%q was taken for %+v", id, m)
		}
		if (m.Kind == securebedrock.KindInferenceProfile) != (m.Prefix != "") {
			t.Errorf("%q has kind %s and prefix %q", id, m.Kind, m.Prefix)
		}
	})
}

// The lists are the caller's own, and every geography's sources are among its
// destinations.
func TestGeography(t *testing.T) {
	for _, name := range []string{"us", "eu", "apac", "jp", "au", "in", "ca", "us-gov"} {
		list := securebedrock.Geography(name)
		if len(list) < 2 || !slices.IsSorted(list) {
			t.Errorf("%s: %v", name, list)
		}
		list[0] = "changed"
		if securebedrock.Geography(name)[0] == "changed" {
			t.Errorf("%s: the list is shared", name)
		}
	}
	for _, name := range []string{"global", "mars", "", "EU", "*", "us-east-1"} {
		if list := securebedrock.Geography(name); len(list) != 1 || !strings.HasPrefix(list[0], "unknown geography ") {
			t.Errorf("%q: %v", name, list)
		}
	}
}
