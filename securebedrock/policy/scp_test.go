package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

const (
	account = "111122223333"
	appRole = "arn:aws:iam::" + account + ":role/app"
	kbRole  = "arn:aws:iam::" + account + ":role/service/kb"
	admin   = "arn:aws:iam::" + account + ":role/security"
	haiku   = "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"
	titan   = "amazon.titan-embed-text-v2:0"
	pinned  = "arn:aws:bedrock:eu-central-1:" + account + ":guardrail/gr1234567890"
	profile = "arn:aws:bedrock:eu-central-1:" + account + ":inference-profile/eu.anthropic.claude-3-haiku-20240307-v1:0"
)

// ask is a request of the application's role in the region.
func ask(action, resource string, context ...string) Request {
	r := Request{Principal: appRole, Action: action, Resource: resource, Context: map[string][]string{"aws:RequestedRegion": {"eu-central-1"}}}
	for i := 0; i < len(context); i += 2 {
		r.Context[context[i]] = []string{context[i+1]}
	}
	return r
}

// by is the request of another principal.
func by(principal string, r Request) Request { r.Principal = principal; return r }

// in is the request in another region; "" for none.
func in(region string, r Request) Request {
	r.Context["aws:RequestedRegion"] = []string{region}
	if region == "" {
		delete(r.Context, "aws:RequestedRegion")
	}
	return r
}

func TestDenyRegions(t *testing.T) {
	t.Parallel()
	opts, acct := one()
	opts.Residency = []string{"eu-central-1", "eu-north-1"}
	docs, err := DenyRegions(specOf(t, opts, acct))
	if err != nil {
		t.Fatal(err)
	}
	north := strings.Replace(haiku, "eu-central-1", "eu-north-1", 1)
	judge(t, docs, []verdict{
		{"a call in Region", true, ask(invokeModelAction, haiku)},
		{"the leg of a profile in a destination", true, in("eu-north-1", ask(invokeModelAction, north, "bedrock:InferenceProfileArn", profile))},
		{"a call in another region", false, in("us-east-1", ask(invokeModelAction, strings.Replace(haiku, "eu-central-1", "us-east-1", 1)))},
		{"the leg of a profile outside of Residency", false, in("us-east-1", ask(invokeModelAction, haiku, "bedrock:InferenceProfileArn", profile))},
		{"the leg of a global profile", false, in(unspecified, ask(invokeModelAction, "arn:aws:bedrock:::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"))},
		{"a call of no region that can be told", false, in("", ask(invokeModelAction, haiku))},
		{"Mantle in Region", true, ask("bedrock-mantle:CreateInference", "arn:aws:bedrock-mantle:eu-central-1:"+account+":project/default")},
		{"Mantle in another region", false, in("us-east-1", ask("bedrock-mantle:CreateInference", "arn:aws:bedrock-mantle:us-east-1:"+account+":project/default"))},
		{"AgentCore in another region", false, in("us-east-1", ask("bedrock-agentcore:InvokeHarness", "*"))},
		{"web search in another region", false, in("us-east-1", ask("bedrock-websearch:InvokeSearch", "*"))},
		{"IAM, which answers in us-east-1", true, in("us-east-1", ask("iam:GetRole", appRole))},
		{"STS in another region", true, in("us-east-1", ask("sts:AssumeRole", appRole))},
	})
}

func TestDenyRegionsWhereEveryDestinationIsPermitted(t *testing.T) {
	t.Parallel()
	opts, acct := one()
	opts.Residency = []string{"*"}
	docs, err := DenyRegions(specOf(t, opts, acct))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(docs[0].Purpose, `has "*"`) {
		t.Errorf("the purpose does not say that no destination is denied: %s", docs[0].Purpose)
	}
	elsewhere := strings.Replace(haiku, "eu-central-1", "us-east-1", 1)
	const router = "arn:aws:bedrock:eu-central-1:" + account + ":prompt-router/abc"
	judge(t, docs, []verdict{
		{"a call in Region", true, ask(invokeModelAction, haiku)},
		{"the leg of a global profile", true, in(unspecified, ask(invokeModelAction, "arn:aws:bedrock:::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", "bedrock:InferenceProfileArn", profile))},
		{"something of Bedrock without a region", true, in(unspecified, ask("bedrock:ListFoundationModels", "*"))},
		{"the leg of a profile in any region", true, in("us-east-1", ask(invokeModelAction, elsewhere, "bedrock:InferenceProfileArn", profile))},
		{"the leg of a prompt router in any region", true, in("us-east-1", ask(invokeModelAction, elsewhere, "bedrock:PromptRouterArn", router))},
		{"a direct call in another region", false, in("us-east-1", ask(invokeModelAction, elsewhere))},
		{"a guardrail evaluated in another region", true, in("us-east-1", ask("bedrock:ApplyGuardrail", "arn:aws:bedrock:us-east-1:"+account+":guardrail-profile/us.guardrail.v1:0"))},
		{"a guardrail of another region", false, in("us-east-1", ask("bedrock:ApplyGuardrail", "arn:aws:bedrock:us-east-1:"+account+":guardrail/abc"))},
		{"Mantle in Region", true, ask("bedrock-mantle:CreateInference", "arn:aws:bedrock-mantle:eu-central-1:"+account+":project/default")},
		{"Mantle in another region", false, in("us-east-1", ask("bedrock-mantle:CreateInference", "arn:aws:bedrock-mantle:us-east-1:"+account+":project/default"))},
		{"AgentCore in another region", false, in("us-east-1", ask("bedrock-agentcore:InvokeHarness", "*"))},
		{"web search in another region", false, in("us-east-1", ask("bedrock-websearch:InvokeSearch", "*"))},
	})
}

func TestRequireGuardrail(t *testing.T) {
	t.Parallel()
	opts, acct := one()
	acct.Unguardable = map[string]string{titan: "it gives no text"}
	acct.ExceptPrincipals = map[string]string{kbRole: "a knowledge base calls without the key"}
	const app = "arn:aws:bedrock:eu-central-1:" + account + ":application-inference-profile/embeddings"
	const mixed = "arn:aws:bedrock:eu-central-1:" + account + ":application-inference-profile/mixed"
	opts.Models = append(opts.Models, titan, app, mixed)
	acct.ProfileModels = map[string][]string{app: {titan}, mixed: {titan, "anthropic.claude-3-haiku-20240307-v1:0"}}
	docs, err := RequireGuardrail(specOf(t, opts, acct))
	if err != nil {
		t.Fatal(err)
	}
	for _, reason := range []string{"it gives no text", "a knowledge base calls without the key"} {
		if !strings.Contains(docs[0].Purpose, reason) {
			t.Errorf("the purpose lacks the reason %q: %s", reason, docs[0].Purpose)
		}
	}
	const key = "bedrock:GuardrailIdentifier"
	rows := []verdict{
		{"the guardrail in its version", true, ask(invokeModelAction, haiku, key, pinned+":3")},
		{"the guardrail on a stream", true, ask(streamAction, haiku, key, pinned+":3")},
		{"no guardrail", false, ask(invokeModelAction, haiku)},
		{"no guardrail on a stream", false, ask(streamAction, haiku)},
		{"no guardrail on a profile", false, ask(invokeModelAction, profile)},
		{"another version", false, ask(invokeModelAction, haiku, key, pinned+":4")},
		{"the draft", false, ask(invokeModelAction, haiku, key, pinned)},
		{"a lax guardrail of the account", false, ask(invokeModelAction, haiku, key, strings.Replace(pinned, "gr1234567890", "lax", 1)+":1")},
		{"an embedding model", true, ask(invokeModelAction, strings.Replace(haiku, "anthropic.claude-3-haiku-20240307-v1:0", titan, 1))},
		{"an embedding model without a region", true, ask(invokeModelAction, "arn:aws:bedrock:::foundation-model/"+titan)},
		{"an embedding model's profile", true, ask(invokeModelAction, "arn:aws:bedrock:eu-central-1:"+account+":inference-profile/eu."+titan)},
		{"an application profile of the embedding model", true, ask(invokeModelAction, app)},
		{"an application profile with another model behind it", false, ask(invokeModelAction, mixed)},
		{"the role that is spared", true, by(kbRole, ask(invokeModelAction, haiku))},
		{"counting tokens", true, ask("bedrock:CountTokens", haiku)},
	}
	judge(t, docs, rows)
	t.Run("as an identity policy", func(t *testing.T) {
		twin, err := AsIdentity(docs[0])
		if err != nil {
			t.Fatal(err)
		}
		judge(t, []Document{twin}, rows)
	})

	opts.Guardrail, opts.Unguarded = securebedrock.Guardrail{}, "a test"
	for _, build := range []builder{RequireGuardrail, func(s *Spec) ([]Document, error) { return DenyUnguardedRoutes(s, true) }} {
		if docs, err := build(specOf(t, opts, acct)); docs != nil || err != nil {
			t.Errorf("Options are Unguarded: %v, %v", docs, err)
		}
	}
}

func TestRequireGuardrailWithUnguardedOperations(t *testing.T) {
	t.Parallel()
	opts, acct := one()
	opts.UnguardedOperations = map[string]string{"InvokeModelWithBidirectionalStream": "speech takes none"}
	docs, err := RequireGuardrail(specOf(t, opts, acct))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(docs[0].Purpose, "speech takes none") {
		t.Errorf("the purpose lacks the reason: %s", docs[0].Purpose)
	}
	const key = "bedrock:GuardrailIdentifier"
	judge(t, docs, []verdict{
		{"a bidirectional call, which is InvokeModel without a guardrail", true, ask(invokeModelAction, haiku)},
		{"the guardrail in its version", true, ask(invokeModelAction, haiku, key, pinned+":3")},
		{"another guardrail", false, ask(invokeModelAction, haiku, key, pinned+":4")},
		{"a stream without a guardrail", false, ask(streamAction, haiku)},
		{"a stream with another guardrail", false, ask(streamAction, haiku, key, pinned+":4")},
		{"a stream with the guardrail", true, ask(streamAction, haiku, key, pinned+":3")},
	})
}

func TestDenyAPIKeys(t *testing.T) {
	t.Parallel()
	docs, err := DenyAPIKeys(oneSpec(t))
	if err != nil {
		t.Fatal(err)
	}
	const user = "arn:aws:iam::" + account + ":user/build"
	const key = "iam:ServiceSpecificCredentialServiceName"
	judge(t, docs, []verdict{
		{"a bearer token on Bedrock", false, ask("bedrock:CallWithBearerToken", "*")},
		{"a bearer token on Mantle", false, ask("bedrock-mantle:CallWithBearerToken", "*")},
		{"a signed call", true, ask(invokeModelAction, haiku)},
		{"making a long-term key", false, ask("iam:CreateServiceSpecificCredential", user, key, "bedrock.amazonaws.com")},
		{"a new secret for a long-term key", false, ask("iam:ResetServiceSpecificCredential", user, key, "bedrock.amazonaws.com")},
		{"making a password for CodeCommit", true, ask("iam:CreateServiceSpecificCredential", user, key, "codecommit.amazonaws.com")},
		{"switching a leaked key off", true, ask("iam:UpdateServiceSpecificCredential", user, key, "bedrock.amazonaws.com")},
		{"deleting a leaked key", true, ask("iam:DeleteServiceSpecificCredential", user, key, "bedrock.amazonaws.com")},
	})
}

func TestGuardedRoutes(t *testing.T) {
	t.Parallel()
	agentActions := []string{"AgenticRetrieveStream", "GenerateQuery", "InvokeAgent", "InvokeFlow", "InvokeInlineAgent", "OptimizePrompt", "RetrieveAndGenerate", "StartFlowExecution"}
	for _, agents := range []bool{true, false} {
		docs, err := DenyUnguardedRoutes(oneSpec(t), agents)
		if err != nil {
			t.Fatal(err)
		}
		rows := []verdict{
			{"inference on Mantle", false, ask("bedrock-mantle:CreateInference", "arn:aws:bedrock-mantle:eu-central-1:"+account+":project/default")},
			{"a batch job", false, ask("bedrock:CreateModelInvocationJob", haiku)},
			{"looking at a batch job", true, ask("bedrock:GetModelInvocationJob", "arn:aws:bedrock:eu-central-1:"+account+":model-invocation-job/abc")},
			{"searching a knowledge base", true, ask("bedrock:Retrieve", "arn:aws:bedrock:eu-central-1:"+account+":knowledge-base/ABC")},
			{"inference", true, ask(invokeModelAction, haiku)},
		}
		for _, action := range agentActions {
			rows = append(rows, verdict{action, !agents, ask("bedrock:"+action, "*")})
		}
		judge(t, docs, rows)
	}
}

// TestGuardedRoutesInAll: the agent actions stay open where the Spec says that they are in
// use.
func TestGuardedRoutesInAll(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		about string
		set   func(*Account)
		open  bool
	}{
		{"nothing is said of agents", func(*Account) {}, false},
		{"a service role is spared", func(a *Account) { a.ExceptPrincipals = map[string]string{kbRole: "a knowledge base"} }, true},
		{"an agent is in use", func(a *Account) { a.Resources.Agents = []Agent{{ID: "AGENT12345", Aliases: []string{"ALIAS12345"}}} }, true},
		{"a knowledge base is searched", func(a *Account) { a.Resources.KnowledgeBases = []KnowledgeBase{{ID: "KB12345678"}} }, false},
		{"a knowledge base answers", func(a *Account) {
			a.Resources.KnowledgeBases = []KnowledgeBase{{ID: "KB12345678"}}
			a.Resources.RetrieveAndGenerate = "the search page answers in sentences"
		}, true},
	} {
		opts, acct := one()
		c.set(&acct)
		docs, err := guardedRoutes(specOf(t, opts, acct))
		if err != nil {
			t.Fatal(err)
		}
		if open := len(docs[0].Statements) == 1; open != c.open {
			t.Errorf("%s: the agent actions are open is %v, want %v", c.about, open, c.open)
		}
	}
}

func TestPinRetention(t *testing.T) {
	t.Parallel()
	const (
		bedrock = "bedrock:DataRetentionMode"
		mantle  = "bedrock-mantle:DataRetentionMode"
		project = "arn:aws:bedrock-mantle:eu-central-1:" + account + ":project/abc"
	)
	rows := func(permitted ...string) []verdict {
		var list []verdict
		for _, mode := range []string{"none", "default", "aws_review", "provider_data_share", "inherit"} {
			yes := slices.Contains(permitted, mode)
			list = append(list,
				verdict{"the account at " + mode, yes, ask("bedrock:PutAccountDataRetention", "*", bedrock, mode)},
				verdict{"Mantle's account at " + mode, yes, ask("bedrock-mantle:PutAccountDataRetention", "*", mantle, mode)},
				verdict{"a new project at " + mode, yes || mode == "inherit", ask("bedrock-mantle:CreateProject", project, mantle, mode)},
				verdict{"a project changed to " + mode, yes || mode == "inherit", ask("bedrock-mantle:UpdateProject", project, mantle, mode)},
			)
		}
		return append(list,
			verdict{"the account at a mode that is not told", false, ask("bedrock:PutAccountDataRetention", "*")},
			verdict{"Mantle's account at a mode that is not told", false, ask("bedrock-mantle:PutAccountDataRetention", "*")},
			verdict{"a new project that defers to the account", true, ask("bedrock-mantle:CreateProject", project)},
			verdict{"a project renamed", true, ask("bedrock-mantle:UpdateProject", project)},
			verdict{"looking at the setting", true, ask("bedrock:GetAccountDataRetention", "*")},
		)
	}
	opts, acct := one()
	docs, err := PinRetention(specOf(t, opts, acct))
	if err != nil {
		t.Fatal(err)
	}
	judge(t, docs, rows("none"))

	acct.DataRetention = map[string]string{"default": "the model asks for it", "inherit": "it came so"}
	docs, err = PinRetention(specOf(t, opts, acct))
	if err != nil {
		t.Fatal(err)
	}
	judge(t, docs, rows("none", "default", "inherit"))
	if !strings.Contains(docs[0].Purpose, "the model asks for it") {
		t.Errorf("the purpose lacks the reason: %s", docs[0].Purpose)
	}
}

func TestDenyChanges(t *testing.T) {
	t.Parallel()
	opts, acct := one()
	opts.Endpoint.URL = "https://vpce-0123456789abcdef0-abcdefgh.bedrock-runtime.eu-central-1.vpce.amazonaws.com"
	acct.Resources.Endpoints = []string{"vpce-0fedcba9876543210"}
	acct.Resources.Trail = Trail{Name: "watch", Bucket: "trails-of-111122223333"}
	acct.Administrators = map[string]string{admin: "the security team"}
	const (
		endpoint = "arn:aws:ec2:eu-central-1:" + account + ":vpc-endpoint/vpce-0123456789abcdef0"
		second   = "arn:aws:ec2:eu-central-1:" + account + ":vpc-endpoint/vpce-0fedcba9876543210"
		trail    = "arn:aws:cloudtrail:eu-central-1:" + account + ":trail/watch"
	)
	changes := []Request{
		ask("bedrock:PutModelInvocationLoggingConfiguration", "*"), ask("bedrock:DeleteModelInvocationLoggingConfiguration", "*"),
		ask("bedrock:PutEnforcedGuardrailConfiguration", "*"), ask("bedrock:DeleteEnforcedGuardrailConfiguration", "*"),
		ask("bedrock:UpdateGuardrail", pinned), ask("bedrock:DeleteGuardrail", pinned), ask("bedrock:CreateGuardrailVersion", pinned),
		ask("bedrock:PutResourcePolicy", pinned), ask("bedrock:DeleteResourcePolicy", pinned), ask("bedrock:TagResource", pinned), ask("bedrock:UntagResource", pinned),
		ask("ec2:DeleteVpcEndpoints", endpoint), ask("ec2:ModifyVpcEndpoint", endpoint), ask("ec2:ModifyVpcEndpoint", second),
		ask("cloudtrail:StopLogging", trail), ask("cloudtrail:DeleteTrail", trail), ask("cloudtrail:UpdateTrail", trail), ask("cloudtrail:PutEventSelectors", trail),
	}
	rows := func(spared bool) []verdict {
		list := []verdict{
			{"looking at the logging", true, ask("bedrock:GetModelInvocationLoggingConfiguration", "*")},
			{"another team's guardrail", true, ask("bedrock:UpdateGuardrail", strings.Replace(pinned, "gr1234567890", "other", 1))},
			{"another endpoint", true, ask("ec2:DeleteVpcEndpoints", strings.Replace(endpoint, "abcdef0", "abcdef1", 1))},
			{"another trail", true, ask("cloudtrail:StopLogging", strings.Replace(trail, "watch", "other", 1))},
			{"inference", true, ask(invokeModelAction, haiku)},
		}
		for _, r := range changes {
			list = append(list,
				verdict{r.Action + " by the application", false, r},
				verdict{r.Action + " by the account's root", false, by("arn:aws:iam::"+account+":root", r)},
				verdict{r.Action + " by the security team", spared, by(admin, r)})
		}
		return list
	}
	docs, err := DenyChanges(specOf(t, opts, acct))
	if err != nil {
		t.Fatal(err)
	}
	judge(t, docs, rows(true))
	if want := "the VPC endpoints and the trail. Spared: " + admin + " (the security team)."; !strings.HasSuffix(docs[0].Purpose, want) {
		t.Errorf("the purpose is %q, want it to end in %q", docs[0].Purpose, want)
	}

	acct.Administrators = nil
	docs, err = DenyChanges(specOf(t, opts, acct))
	if err != nil {
		t.Fatal(err)
	}
	judge(t, docs, rows(false))
	if !strings.Contains(docs[0].Purpose, "Nobody is spared") {
		t.Errorf("the purpose does not warn of the lock-out: %s", docs[0].Purpose)
	}
}

func TestEndpointID(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]string{
		"vpce-0123abcd-xyz.bedrock-runtime.eu-central-1.vpce.amazonaws.com":               "vpce-0123abcd",
		"vpce-0123abcd-xyz-eu-central-1a.bedrock-runtime.eu-central-1.vpce.amazonaws.com": "vpce-0123abcd",
		"bedrock-runtime.eu-central-1.amazonaws.com":                                      "",
		"vpce--xyz.bedrock-runtime.eu-central-1.vpce.amazonaws.com":                       "",
		"": "",
	} {
		if got := endpointID(host); got != want {
			t.Errorf("%s: %q, want %q", host, got, want)
		}
	}
}
