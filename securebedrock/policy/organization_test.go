package policy

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

const (
	management = "222233334444"
	ofCentral  = "arn:aws:bedrock:eu-central-1:" + management + ":guardrail/org1234567"
	ofNorth    = "arn:aws:bedrock:eu-north-1:" + management + ":guardrail/org7654321"
)

func TestOrganizationPolicy(t *testing.T) {
	t.Parallel()
	const head = `{"bedrock":{"guardrail_inference":{`
	region := func(region, identifier, excluded string) string {
		return `"` + region + `":{"config_1":{"identifier":{"@@assign":"` + identifier + `"},` +
			`"selective_content_guarding":{"system":{"@@assign":"comprehensive"},"messages":{"@@assign":"comprehensive"}},` +
			`"model_enforcement":{"included_models":{"@@assign":["ALL"]},"excluded_models":{"@@assign":[` + excluded + `]}}}}`
	}
	for _, c := range []struct {
		about string
		set   func(*securebedrock.Options, *Account)
		want  string // "" for no document
	}{
		{"no organisation", func(_ *securebedrock.Options, a *Account) { a.Organization = "" }, ""},
		{"the guardrail of Options", func(*securebedrock.Options, *Account) {}, head + region("eu-central-1", pinned+":3", "") + "}}}"},
		{"embeddings are excluded", func(_ *securebedrock.Options, a *Account) {
			a.Unguardable = map[string]string{titan: "it gives no text", "cohere.embed-english-v3": "nor does this"}
		}, head + region("eu-central-1", pinned+":3", `"`+titan+`","cohere.embed-english-v3"`) + "}}}"},
		{"no guardrail in Options", func(o *securebedrock.Options, _ *Account) {
			o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "a test"
		}, ""},
		{"the management account's guardrails", func(o *securebedrock.Options, a *Account) {
			o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "a test"
			a.Enforced = []EnforcedGuardrail{
				{Region: "eu-central-1", ARN: ofCentral, Version: "7", ExcludedModels: []string{titan}},
				{Region: "eu-north-1", ARN: ofNorth, Version: "2"},
			}
			a.Unguardable = map[string]string{titan: "it gives no text"}
		}, head + region("eu-central-1", ofCentral+":7", `"`+titan+`"`) + "," + region("eu-north-1", ofNorth+":2", `"`+titan+`"`) + "}}}"},
	} {
		opts, acct := one()
		acct.Organization = "o-abcdefghij"
		c.set(&opts, &acct)
		docs, err := OrganizationPolicy(specOf(t, opts, acct))
		if err != nil {
			t.Fatal(err)
		}
		if (len(docs) == 0) != (c.want == "") || len(docs) > 0 && docs[0].JSON() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.about, docs, c.want)
		}
		for _, reason := range acct.Unguardable {
			if len(docs) > 0 && !strings.Contains(docs[0].Purpose, reason) {
				t.Errorf("%s: the purpose lacks the reason %q", c.about, reason)
			}
		}
	}
}

func TestEnforcedGuardrailsByName(t *testing.T) {
	t.Parallel()
	fine := EnforcedGuardrail{Region: "eu-central-1", ARN: ofCentral, Version: "7"}
	for _, c := range []struct {
		about string
		set   func(*EnforcedGuardrail)
		want  string
	}{
		{"all is well", func(*EnforcedGuardrail) {}, ""},
		{"a guardrail of another region", func(e *EnforcedGuardrail) { e.ARN = ofNorth }, "the guardrail is of \"eu-north-1\" and is to be enforced in eu-central-1"},
		{"no region", func(e *EnforcedGuardrail) { e.Region = "" }, "\"\" is not a region of AWS"},
		{"DRAFT", func(e *EnforcedGuardrail) { e.Version = "DRAFT" }, "\"DRAFT\" is not a published version"},
		{"no version", func(e *EnforcedGuardrail) { e.Version = "" }, "\"\" is not a published version"},
		{"version zero", func(e *EnforcedGuardrail) { e.Version = "0" }, "\"0\" is not a published version"},
		{"a long version", func(e *EnforcedGuardrail) { e.Version = "123456789" }, "is not a published version"},
		{"an ID", func(e *EnforcedGuardrail) { e.ARN = "org1234567" }, "\"org1234567\" is not the ARN of a guardrail"},
		{"an ARN with its version", func(e *EnforcedGuardrail) { e.ARN += ":7" }, "is not the ARN of a guardrail"},
		{"a pattern", func(e *EnforcedGuardrail) { e.ARN = strings.Replace(ofCentral, "org1234567", "*", 1) }, "is not the ARN of a guardrail"},
		{"an ARN without an account", func(e *EnforcedGuardrail) { e.ARN = strings.Replace(ofCentral, management, "", 1) }, "is not the ARN of a guardrail"},
		{"another service", func(e *EnforcedGuardrail) { e.ARN = strings.Replace(ofCentral, "bedrock", "bedrock-mantle", 1) }, "is not the ARN of a guardrail"},
		{"another partition", func(e *EnforcedGuardrail) { e.ARN = strings.Replace(ofCentral, "aws", "aws-cn", 1) }, "of another partition"},
		{"a pattern of models", func(e *EnforcedGuardrail) { e.ExcludedModels = []string{"amazon.*"} }, "Account.Enforced: (no identifier) is not a model ID"},
		{"an empty model", func(e *EnforcedGuardrail) { e.IncludedModels = []string{""} }, "\"\" is not a model ID"},
	} {
		opts, acct := one()
		acct.Organization = "o-abcdefghij"
		e := fine
		c.set(&e)
		acct.Enforced = []EnforcedGuardrail{e}
		faultOf(t, c.about, c.want, opts, acct)
	}
	for _, c := range []struct {
		about, want string
		list        []EnforcedGuardrail
	}{
		{"two of one region", "eu-central-1 has two guardrails", []EnforcedGuardrail{fine, fine}},
		{"two accounts", "the guardrails are of the accounts 222233334444 and 111122223333", []EnforcedGuardrail{fine, {Region: "eu-north-1", ARN: strings.Replace(ofNorth, management, account, 1), Version: "1"}}},
	} {
		opts, acct := one()
		acct.Enforced = c.list
		faultOf(t, c.about, c.want, opts, acct)
	}
}

func TestAccountOfAnOrganizationByName(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about string
		set   func(*Account)
		want  string
	}{
		{"an administrator who is a user", func(a *Account) {
			a.Administrators = map[string]string{"arn:aws:iam::" + account + ":user/root": "why"}
		}, "Account.Administrators: \"arn:aws:iam::111122223333:user/root\" is not the ARN of an IAM role"},
		{"administrators by a pattern", func(a *Account) { a.Administrators = map[string]string{admin + "*": "why"} }, "Account.Administrators: (no identifier) has a wildcard"},
		{"an administrator without a reason", func(a *Account) { a.Administrators = map[string]string{admin: " "} }, "Account.Administrators: \"" + admin + "\" has no reason"},
		{"a mode that is none", func(a *Account) { a.DataRetention = map[string]string{"never": "why"} }, "Account.DataRetention: \"never\" is not a mode"},
		{"a mode without a reason", func(a *Account) { a.DataRetention = map[string]string{"default": ""} }, "Account.DataRetention: \"default\" has no reason"},
		{"the mode that is always permitted", func(a *Account) { a.DataRetention = map[string]string{"none": ""} }, ""},
	} {
		opts, acct := one()
		c.set(&acct)
		faultOf(t, c.about, c.want, opts, acct)
	}
}

// faultOf demands a fault of For, or none.
func faultOf(t *testing.T, about, want string, opts securebedrock.Options, acct Account) {
	t.Helper()
	_, err := For(opts, acct)
	switch {
	case want == "" && err != nil:
		t.Errorf("%s: %v", about, err)
	case want != "" && (!errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), want)):
		t.Errorf("%s: %v, want %q", about, err, want)
	}
}

// TestEnforcedGuardrailsLetTheClientCall: without ApplyGuardrail on the organisation's guardrail
// every call fails.
func TestEnforcedGuardrailsLetTheClientCall(t *testing.T) {
	t.Parallel()
	opts, acct := european()
	acct.Organization = "o-abcdefghij"
	acct.Enforced = []EnforcedGuardrail{{Region: "eu-central-1", ARN: ofCentral, Version: "7"}, {Region: "eu-north-1", ARN: ofNorth, Version: "2"}}
	s := specOf(t, opts, acct)
	for _, build := range []builder{Invoke, func(s *Spec) ([]Document, error) {
		d, err := Session(s)
		return []Document{d}, err
	}} {
		docs, err := build(s)
		if err != nil {
			t.Fatal(err)
		}
		for arn, want := range map[string]bool{ofCentral: true, pinned: true, ofNorth: false} {
			if got, err := Decide(docs, ask("bedrock:ApplyGuardrail", arn)); err != nil || got.Allowed != want {
				t.Errorf("%s on %s: %v, %v; want %v", docs[0].Name, arn, got, err, want)
			}
		}
	}
	list, err := Explain(s, Call{Operation: "Converse", Model: opts.Models[0]})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if !a.Decision.Allowed && a.Action != "sts:AssumeRole" { // which is the caller's to be allowed
			t.Errorf("%s on %s is denied: %s", a.Action, a.Resource, a.Decision.Reason)
		}
	}
}

func TestShareGuardrail(t *testing.T) {
	t.Parallel()
	const central = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*",` +
		`"Action":["bedrock:ApplyGuardrail","bedrock:GetGuardrail"],"Resource":"` + ofCentral + `",` +
		`"Condition":{"StringEquals":{"aws:PrincipalOrgID":"o-abcdefghij"}}}]}`
	opts, acct := one()
	acct.Organization = "o-abcdefghij"
	acct.Enforced = []EnforcedGuardrail{{Region: "eu-central-1", ARN: ofCentral, Version: "7"}}
	share := func(set func()) map[string]string {
		set()
		docs, err := ShareGuardrail(specOf(t, opts, acct))
		if err != nil {
			t.Fatal(err)
		}
		all := make(map[string]string)
		for _, d := range docs {
			all[d.Name] = d.JSON()
			if d.Size() > d.Limit() || d.Kind != KindGuardrail {
				t.Errorf("%s is of kind %s and has %d characters", d.Name, d.Kind, d.Size())
			}
		}
		return all
	}
	if got := share(func() {}); len(got) != 1 || got["guardrail-sharing"] != central {
		t.Errorf("one guardrail: %v, want %s", got, central)
	}
	got := share(func() {
		acct.Enforced = append(acct.Enforced, EnforcedGuardrail{Region: "eu-north-1", ARN: ofNorth, Version: "2"})
	})
	if want := strings.Replace(central, ofCentral, ofNorth, 1); len(got) != 2 || got["guardrail-sharing-eu-central-1"] != central || got["guardrail-sharing-eu-north-1"] != want {
		t.Errorf("two guardrails: %v", got)
	}
	got = share(func() {
		acct.Enforced = nil
		acct.GuardrailProfile = "eu.guardrail.v1:0"
		opts.Residency = []string{"eu-north-1"}
	})
	want := strings.Replace(strings.Replace(central, ofCentral, "arn:aws:bedrock:eu-north-1:"+account+":guardrail-profile/eu.guardrail.v1:0", 1),
		`["bedrock:ApplyGuardrail","bedrock:GetGuardrail"]`, `"bedrock:ApplyGuardrail"`, 1)
	if len(got) != 3 || got["guardrail-profile-sharing-eu-north-1"] != want {
		t.Errorf("a guardrail that is evaluated in two regions: %v, want one of them to be %s", got, want)
	}
	if got := share(func() { acct.Organization = "" }); len(got) != 0 {
		t.Errorf("no organisation: %v", got)
	}
}

// TestEnforcedIsCopied: a Spec does not change with the Account that it was made from.
func TestEnforcedIsCopied(t *testing.T) {
	t.Parallel()
	opts, acct := one()
	acct.Organization = "o-abcdefghij"
	acct.Enforced = []EnforcedGuardrail{{Region: "eu-central-1", ARN: ofCentral, Version: "7", ExcludedModels: slices.Grow([]string{"a.b"}, 4)}}
	acct.Unguardable = map[string]string{titan: "it gives no text"}
	acct.Administrators = map[string]string{admin: "the security team"}
	acct.DataRetention = map[string]string{"default": "the model asks for it"}
	s := specOf(t, opts, acct)
	text := func() string {
		var all string
		for _, build := range []builder{OrganizationPolicy, ShareGuardrail, DenyChanges, PinRetention} {
			docs, err := build(s)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range docs {
				all += d.JSON() + d.Purpose
			}
		}
		return all
	}
	before := text()
	acct.Enforced[0].Version, acct.Enforced[0].ExcludedModels[0] = "8", "c.d"
	acct.Administrators[appRole], acct.DataRetention["inherit"] = "nobody said so", "nobody said so"
	if after := text(); after != before {
		t.Errorf("the documents changed with the Account:\n%s\n%s", before, after)
	}
}
