package policy

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// european is a client of a profile, with a role and everything in the account that an
// endpoint's policy can name.
func european() (securebedrock.Options, Account) {
	opts, acct := one()
	opts.Residency = securebedrock.Geography("eu")
	opts.Models = []string{"eu.anthropic.claude-3-haiku-20240307-v1:0", titan}
	opts.Role = &securebedrock.Role{ARN: appRole}
	acct.Unguardable = map[string]string{titan: "it gives no text"}
	return opts, acct
}

// endpointDocs are the policy of one endpoint.
func endpointDocs(t *testing.T, service string, opts securebedrock.Options, acct Account) []Document {
	t.Helper()
	docs, err := EndpointPolicy(specOf(t, opts, acct), service)
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// both adds to each request its twin by a principal that is not the client's, which never
// passes, and sends both through the endpoint.
func both(rows []verdict) []verdict {
	var all []verdict
	for _, row := range rows {
		stranger := row
		stranger.about, stranger.allowed, stranger.req = row.about+", by another role", false, by(kbRole, row.req)
		all = append(all, row, stranger)
	}
	for i := range all {
		all[i].req.ThroughEndpoint = true
	}
	return all
}

const guardrailKey = "bedrock:GuardrailIdentifier"

func TestEndpointOfBedrockRuntime(t *testing.T) {
	t.Parallel()
	opts, acct := european()
	embedding := strings.Replace(haiku, "anthropic.claude-3-haiku-20240307-v1:0", titan, 1)
	rows := []verdict{
		{"the profile itself", true, ask(invokeModelAction, profile, guardrailKey, pinned+":3")},
		{"the profile on a stream", true, ask(streamAction, profile, guardrailKey, pinned+":3")},
		{"the profile without the guardrail", false, ask(invokeModelAction, profile)},
		{"the model without its profile", false, ask(invokeModelAction, haiku, guardrailKey, pinned+":3")},
		{"a model that is not allowed", false, ask(invokeModelAction, strings.Replace(haiku, "haiku", "opus", 1), guardrailKey, pinned+":3")},
		{"an embedding", true, ask(invokeModelAction, embedding)},
		{"an embedding's stream", true, ask(streamAction, embedding)},
		{"counting tokens", true, ask("bedrock:CountTokens", embedding)},
		{"a check by a guardrail's rules", true, ask("bedrock:InvokeGuardrailChecks", "*")},
		{"that check in another region", false, in("us-east-1", ask("bedrock:InvokeGuardrailChecks", "*"))},
		{"the guardrail", true, ask("bedrock:ApplyGuardrail", pinned)},
		{"another guardrail of the account, which can be enforced", true, ask("bedrock:ApplyGuardrail", strings.Replace(pinned, "gr1234567890", "enforced", 1))},
		{"a guardrail of another account", false, ask("bedrock:ApplyGuardrail", strings.Replace(pinned, account, "999988887777", 1))},
		{"a guardrail of another region", false, ask("bedrock:ApplyGuardrail", strings.Replace(pinned, "eu-central-1", "eu-north-1", 1))},
		{"a guardrail evaluated outside of Residency", false, ask("bedrock:ApplyGuardrail", "arn:aws:bedrock:us-east-1:"+account+":guardrail-profile/us.guardrail.v1:0")},
		{"a batch job", false, ask("bedrock:CreateModelInvocationJob", haiku)},
		{"a bearer token", false, ask("bedrock:CallWithBearerToken", "*")},
		{"a question to the control plane", false, ask("bedrock:GetGuardrail", pinned)},
	}
	for _, r := range securebedrock.Geography("eu") {
		leg := strings.Replace(haiku, "eu-central-1", r, 1)
		rows = append(rows,
			verdict{"the leg in " + r, true, in(r, ask(invokeModelAction, leg, guardrailKey, pinned+":3", "bedrock:InferenceProfileArn", profile))},
			verdict{"the leg in " + r + " on a stream", true, in(r, ask(streamAction, leg, guardrailKey, pinned+":3", "bedrock:InferenceProfileArn", profile))},
			verdict{"the leg in " + r + " of another profile", false, in(r, ask(invokeModelAction, leg, guardrailKey, pinned+":3", "bedrock:InferenceProfileArn", strings.Replace(profile, "eu.", "us.", 1)))},
			verdict{"the leg in " + r + " without the guardrail", false, in(r, ask(invokeModelAction, leg, "bedrock:InferenceProfileArn", profile))},
			verdict{"the guardrail evaluated in " + r, true, in(r, ask("bedrock:ApplyGuardrail", "arn:aws:bedrock:"+r+":"+account+":guardrail-profile/eu.guardrail.v1:0"))},
		)
	}
	judge(t, endpointDocs(t, "bedrock-runtime", opts, acct), both(rows))
}

// TestEndpointOfAnEnforcedGuardrail: the organisation's guardrail is of another account.
func TestEndpointOfAnEnforcedGuardrail(t *testing.T) {
	t.Parallel()
	const management, stranger = "222233334444", "999988887777"
	of := func(account string) Request {
		r := ask("bedrock:ApplyGuardrail", "arn:aws:bedrock:eu-central-1:"+account+":guardrail/enforced")
		r.ThroughEndpoint = true
		return r
	}
	for _, c := range []struct {
		about string
		set   func(*Account)
		want  map[string]bool // by account
	}{
		{"no organisation", func(*Account) {}, map[string]bool{account: true, management: false, stranger: false}},
		{"an organisation that tells no guardrail", func(a *Account) { a.Organization = "o-abcdefghij" }, map[string]bool{account: true, management: true, stranger: true}},
		{"an organisation that tells its guardrail", func(a *Account) {
			a.Organization = "o-abcdefghij"
			a.Enforced = []EnforcedGuardrail{{Region: "eu-central-1", ARN: "arn:aws:bedrock:eu-central-1:" + management + ":guardrail/enforced", Version: "1"}}
		}, map[string]bool{account: true, management: true, stranger: false}},
	} {
		opts, acct := european()
		c.set(&acct)
		docs := endpointDocs(t, "bedrock-runtime", opts, acct)
		for owner, want := range c.want {
			if got, err := Decide(docs, of(owner)); err != nil || got.Allowed != want {
				t.Errorf("%s: a guardrail of %s: %v, %v; want %v", c.about, owner, got, err, want)
			}
		}
	}
}

// TestEndpointWithoutRole: the principals are those of the account.
func TestEndpointWithoutRole(t *testing.T) {
	t.Parallel()
	opts, acct := european()
	opts.Role = nil
	req := ask("bedrock:GetInferenceProfile", profile)
	req.ThroughEndpoint = true
	judge(t, endpointDocs(t, "bedrock", opts, acct)[:1], []verdict{
		{"a role of the account", true, req},
		{"another role of the account", true, by(kbRole, req)},
		{"a role of another account", false, by("arn:aws:iam::999988887777:role/app", req)},
		{"an application profile", true, withResource(req, "arn:aws:bedrock:eu-central-1:"+account+":application-inference-profile/abc")},
		{"a router", true, withAction("bedrock:GetPromptRouter", withResource(req, "arn:aws:bedrock:eu-central-1:"+account+":prompt-router/abc"))},
		{"a router of AWS", true, withAction("bedrock:GetPromptRouter", withResource(req, "arn:aws:bedrock:eu-central-1:"+account+":default-prompt-router/anthropic.claude:1"))},
	})
}

func withResource(r Request, resource string) Request { r.Resource = resource; return r }
func withAction(action string, r Request) Request     { r.Action = action; return r }

func TestEndpointsOfTheOthers(t *testing.T) {
	t.Parallel()
	const (
		key     = "arn:aws:kms:eu-central-1:" + account + ":key/11111111-2222-3333-4444-555555555555"
		models  = "arn:aws:kms:eu-central-1:" + account + ":key/66666666-2222-3333-4444-555555555555"
		logKey  = "arn:aws:kms:eu-central-1:" + account + ":key/77777777-2222-3333-4444-555555555555"
		groups  = "arn:aws:logs:eu-central-1:" + account + ":log-group:"
		base    = "arn:aws:bedrock:eu-central-1:" + account + ":knowledge-base/"
		alias   = "arn:aws:bedrock:eu-central-1:" + account + ":agent-alias/AGENT12345/"
		builder = "arn:aws:iam::" + account + ":role/builder"
	)
	opts, acct := european()
	r := &acct.Resources
	r.Callers = []string{builder}
	r.KnowledgeBases = []KnowledgeBase{{ID: "KB12345678"}, {ID: "KB87654321"}, {Role: kbRole}}
	r.Agents = []Agent{{ID: "AGENT12345", Aliases: []string{"ALIAS12345", "ALIAS54321"}}}
	r.RetrieveAndGenerate = "the search page answers in sentences"
	r.GuardrailKey.ARN, r.ModelKey.ARN = key, models
	r.Logs.Bucket, r.Logs.BucketKey = "logs-of-111122223333", logKey
	r.Logs.Group, r.Logs.Role = "/bedrock/invocations", "arn:aws:iam::"+account+":role/logging"
	for service, rows := range map[string][]verdict{
		"bedrock-agent-runtime": {
			{"searching", true, ask("bedrock:Retrieve", base+"KB12345678")},
			{"searching in the other", true, ask("bedrock:Retrieve", base+"KB87654321")},
			{"searching elsewhere", false, ask("bedrock:Retrieve", base+"OTHER12345")},
			{"answering", true, ask("bedrock:RetrieveAndGenerate", "*")},
			{"an agent", true, ask("bedrock:InvokeAgent", alias+"ALIAS12345")},
			{"an agent's other alias", true, ask("bedrock:InvokeAgent", alias+"ALIAS54321")},
			{"an agent's draft", false, ask("bedrock:InvokeAgent", alias+"TSTALIASID")},
			{"an inline agent", false, ask("bedrock:InvokeInlineAgent", "*")},
		},
		"kms": {
			{"decrypting", true, ask("kms:Decrypt", key)},
			{"encrypting", true, ask("kms:GenerateDataKey", key)},
			{"looking", true, ask("kms:DescribeKey", key)},
			{"decrypting a model", true, ask("kms:Decrypt", models)},
			{"decrypting the logs", false, ask("kms:Decrypt", logKey)},
			{"granting", false, ask("kms:CreateGrant", key)},
		},
		"logs": {
			{"a record", true, ask("logs:PutLogEvents", groups+"/app/audit:log-stream:one")},
			{"a stream for records", true, ask("logs:CreateLogStream", groups+"/app/audit:log-stream:one")},
			{"a forged invocation", false, ask("logs:PutLogEvents", groups+"/bedrock/invocations:log-stream:aws/bedrock/modelinvocations")},
			{"a stream for forged invocations", false, ask("logs:CreateLogStream", groups+"/bedrock/invocations:log-stream:aws/bedrock/modelinvocations")},
			{"deleting a group", false, ask("logs:DeleteLogGroup", groups+"/app/audit")},
		},
	} {
		t.Run(service, func(t *testing.T) {
			t.Parallel()
			all := both(rows)
			for _, row := range all {
				if row.allowed {
					row.about, row.req = row.about+", by another caller", by(builder, row.req)
					all = append(all, row)
				}
			}
			judge(t, endpointDocs(t, service, opts, acct), all)
		})
	}
}

// TestEndpointOfSTS: the caller of AssumeRole is not the role that is assumed.
func TestEndpointOfSTS(t *testing.T) {
	t.Parallel()
	const (
		host  = "arn:aws:iam::" + account + ":role/host"
		other = "arn:aws:iam::" + account + ":role/other"
		guest = "arn:aws:iam::999988887777:role/host"
	)
	assume := func(principal string, context ...string) Request {
		r := by(principal, ask("sts:AssumeRole", appRole, context...))
		r.ThroughEndpoint = true
		return r
	}
	rest := []verdict{
		{"the tags of the session", true, withAction("sts:TagSession", assume(host, "aws:PrincipalOrgID", "o-abcdefghij"))},
		{"the identity of the source", true, withAction("sts:SetSourceIdentity", assume(host, "aws:PrincipalOrgID", "o-abcdefghij"))},
		{"another role", false, withResource(assume(host, "aws:PrincipalOrgID", "o-abcdefghij"), other)},
	}
	for _, c := range []struct {
		about string
		set   func(*Account)
		rows  []verdict
	}{
		{"nothing is known of the caller", func(*Account) {}, []verdict{
			{"a role of the account", true, assume(host)},
			{"a role of another account", false, assume(guest)},
		}},
		{"the organisation is known", func(a *Account) { a.Organization = "o-abcdefghij" }, []verdict{
			{"a role of the organisation", true, assume(guest, "aws:PrincipalOrgID", "o-abcdefghij")},
			{"a role of another organisation", false, assume(guest, "aws:PrincipalOrgID", "o-zzzzzzzzzz")},
			{"a role of none", false, assume(host)},
		}},
		{"the caller is known", func(a *Account) { a.Resources.Trusted = []string{host} }, []verdict{
			{"that role", true, assume(host)},
			{"another role of the account", false, assume(other)},
		}},
		{"tokens are exchanged", func(a *Account) {
			a.Resources.OIDC = []OIDC{{Provider: "arn:aws:iam::" + account + ":oidc-provider/token.actions.githubusercontent.com", Audience: "sts.amazonaws.com", Subjects: []string{"repo:example/app:ref:refs/heads/main"}}}
		}, []verdict{
			{"a role of the account", true, assume(host)},
			{"a role of another account", false, assume(guest)},
			{"a token for a role of the account", true, withAction("sts:AssumeRoleWithWebIdentity", assume(guest))},
			{"a token for a role of another account", false, withAction("sts:AssumeRoleWithWebIdentity", withResource(assume(guest), guest))},
		}},
	} {
		t.Run(c.about, func(t *testing.T) {
			t.Parallel()
			opts, acct := european()
			c.set(&acct)
			judge(t, endpointDocs(t, "sts", opts, acct), append(c.rows, rest...))
		})
	}
}

func TestEndpointPolicyRefusesAndLeavesOut(t *testing.T) {
	t.Parallel()
	opts, acct := european()
	opts.Role = nil
	s := specOf(t, opts, acct)
	if _, err := EndpointPolicy(s, "bedrock-mantle"); !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "service: \"bedrock-mantle\" has no endpoint policy here; use one of bedrock-runtime, bedrock,") {
		t.Errorf("an endpoint that the client has no use for: %v", err)
	}
	for _, service := range []string{"sts", "kms", "bedrock-agent-runtime"} {
		if docs, err := EndpointPolicy(s, service); docs != nil || err != nil {
			t.Errorf("%s: %v, %v; nothing is called there", service, docs, err)
		}
	}
}

func TestEndpointOfFIPS(t *testing.T) {
	t.Parallel()
	opts, acct := european()
	opts.Region, opts.Residency, opts.Models = "us-east-1", nil, []string{"anthropic.claude-3-haiku-20240307-v1:0"}
	for service, want := range map[string]string{"bedrock-runtime": "com.amazonaws.us-east-1.bedrock-runtime-fips", "bedrock": "com.amazonaws.us-east-1.bedrock-fips", "sts": "com.amazonaws.us-east-1.sts"} {
		for _, fips := range []bool{true, false} {
			opts.Endpoint.FIPS = fips
			if !fips {
				want = strings.TrimSuffix(want, "-fips")
			}
			if got := endpointDocs(t, service, opts, acct)[0].Attach; !strings.Contains(got, " "+want+",") {
				t.Errorf("%s, FIPS %v: attached to %q, want %s", service, fips, got, want)
			}
		}
	}
}

// TestEveryEndpointPolicyIsInItsLanguage also where a role's name is short and the regions
// are abbreviated.
func TestEveryEndpointPolicyIsInItsLanguage(t *testing.T) {
	t.Parallel()
	for _, c := range configurations() {
		docs, err := endpoints(specOf(t, c.opts, c.acct))
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if len(docs) < 3 {
			t.Errorf("%s: %d endpoint policies", c.name, len(docs))
		}
		for _, d := range docs {
			if err := endpointLanguage(&d); err != nil {
				t.Errorf("%s: %s: %v", c.name, d.Name, err)
			}
			for i := range d.Statements {
				if p := d.Statements[i].Principal; p == nil || !p.Any {
					t.Errorf("%s: %s: statement %d has the principal %v", c.name, d.Name, i, p)
				}
			}
		}
	}
}

// TestEndpointPolicyRefusesWhatItsLanguageDoes: the short form of many models has a pattern of
// profiles, and AWS refuses one with fewer than six characters in a row.
func TestEndpointPolicyRefusesWhatItsLanguageDoes(t *testing.T) {
	t.Parallel()
	opts, acct := european()
	opts.Models = []string{"eu.a*"}
	for i := range 200 {
		opts.Models = append(opts.Models, fmt.Sprintf("eu.anthropic.claude-%03d-20250514-v1:0", i))
	}
	_, err := EndpointPolicy(specOf(t, opts, acct), "bedrock-runtime")
	if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "six consecutive characters") {
		t.Error(err)
	}
}
