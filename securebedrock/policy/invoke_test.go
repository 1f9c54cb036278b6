package policy

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// resolver stands for Options.Profiles, which For never asks.
type resolver struct{}

func (resolver) Destinations(context.Context, string, string) ([]string, error) { panic("asked") }

// TestInvokeCarriesTheClientsCalls asks of each operation what it needs, and of its
// neighbours that they stay closed.
func TestInvokeCarriesTheClientsCalls(t *testing.T) {
	t.Parallel()
	const (
		haiku    = "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0"
		own      = "arn:aws:bedrock:eu-central-1:111122223333:"
		prompt   = own + "prompt/ABCDEFGHIJ:2"
		router   = own + "default-prompt-router/anthropic.claude:1"
		endpoint = "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/llama"
		key      = "arn:aws:kms:eu-central-1:111122223333:key/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f"
	)
	type ask struct {
		action, resource string
		context          map[string][]string
		want             bool
	}
	here := map[string][]string{keyRegion: {"eu-central-1"}}
	guarded := map[string][]string{keyRegion: {"eu-central-1"}, keyGuardrail: {own + "guardrail/gr1234567890:3"}}
	for _, row := range []struct {
		about string
		set   func(*securebedrock.Options, *Account)
		asks  []ask
	}{
		{"as it stands", func(*securebedrock.Options, *Account) {}, []ask{
			{invokeModel, haiku, guarded, true},
			{invokeModelStream, haiku, guarded, true},
			{invokeModel, haiku, here, false},
			{"bedrock:ApplyGuardrail", own + "guardrail/gr1234567890", here, true},
			{"bedrock:ApplyGuardrail", own + "guardrail/other", here, false},
			{"bedrock:ApplyGuardrail", own + "guardrail-profile/eu.guardrail.v1:0", here, false},
			{"bedrock:InvokeGuardrailChecks", "*", here, true},
			{"bedrock:InvokeGuardrailChecks", "*", map[string][]string{keyRegion: {"eu-west-1"}}, false},
			{"bedrock:CountTokens", haiku, here, true},
			{"bedrock:CountTokens", haiku + "x", here, false},
			{"bedrock:CallWithBearerToken", "*", here, false},
			{"bedrock:GetInferenceProfile", own + "inference-profile/eu.anthropic.x", here, false},
			{"bedrock:GetAsyncInvoke", own + "async-invoke/abc", here, false},
			{"bedrock:ListAsyncInvokes", "*", here, false},
			{"bedrock:CreateModelInvocationJob", "*", here, false},
			{"bedrock-mantle:CreateInference", "*", here, false},
			{"kms:Decrypt", key, here, false},
			{"s3:GetObject", "arn:aws:s3:::media/a.png", map[string][]string{"s3:ResourceAccount": {"111122223333"}}, false},
		}},
		{"a guardrail evaluated through a profile", func(o *securebedrock.Options, a *Account) {
			o.Residency = []string{"eu-west-1"}
			a.GuardrailProfile = "eu.guardrail.v1:0"
		}, []ask{
			{"bedrock:ApplyGuardrail", own + "guardrail-profile/eu.guardrail.v1:0", here, true},
			{"bedrock:ApplyGuardrail", "arn:aws:bedrock:eu-west-1:111122223333:guardrail-profile/eu.guardrail.v1:0", here, true},
			{"bedrock:ApplyGuardrail", "arn:aws:bedrock:eu-west-3:111122223333:guardrail-profile/eu.guardrail.v1:0", here, false},
		}},
		{"a guardrail evaluated anywhere", func(o *securebedrock.Options, a *Account) {
			o.Residency = []string{"*"}
			a.GuardrailProfile = "eu.guardrail.v1:0"
		}, []ask{
			{"bedrock:ApplyGuardrail", "arn:aws:bedrock:eu-west-3:111122223333:guardrail-profile/eu.guardrail.v1:0", here, true},
		}},
		{"no guardrail", func(o *securebedrock.Options, _ *Account) {
			o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "a test"
		}, []ask{
			{invokeModel, haiku, here, true},
			{"bedrock:ApplyGuardrail", own + "guardrail/other", here, true},
			{"bedrock:ApplyGuardrail", "arn:aws:bedrock:eu-central-1:999988887777:guardrail/other", here, false},
			{"bedrock:ListAsyncInvokes", "*", here, true},
		}},
		{"a resolver of profiles", func(o *securebedrock.Options, a *Account) {
			o.Residency = securebedrock.Geography("eu")
			o.Models = []string{"eu.anthropic.a", "amer.anthropic.b", router, prompt}
			a.ProfileModels = map[string][]string{router: {"anthropic.c"}, prompt: {"anthropic.d"}}
			o.Profiles = resolver{}
		}, []ask{
			{"bedrock:GetInferenceProfile", own + "inference-profile/eu.anthropic.a", here, true},
			{"bedrock:GetInferenceProfile", own + "inference-profile/amer.anthropic.b", here, true},
			{"bedrock:GetInferenceProfile", own + "inference-profile/us.anthropic.a", here, false},
			{"bedrock:GetPromptRouter", router, here, true},
			{"bedrock:GetPrompt", prompt, here, true},
			{"bedrock:GetPrompt", prompt + "3", here, false},
			{"bedrock:RenderPrompt", prompt, here, true},
			{"bedrock:RenderPrompt", prompt + "3", here, false},
			{invokeModel, own + "inference-profile/amer.anthropic.b", guarded, true},
		}},
		{"an asynchronous operation", func(o *securebedrock.Options, a *Account) {
			o.UnguardedOperations = map[string]string{"StartAsyncInvoke": "video"}
			a.OutputBuckets = []string{"videos"}
		}, []ask{
			{invokeModel, haiku, here, true},
			{invokeModel, haiku, guarded, true},
			{invokeModel, haiku, map[string][]string{keyGuardrail: {own + "guardrail/lax:1"}}, false},
			{invokeModelStream, haiku, here, false},
			{"bedrock:GetAsyncInvoke", own + "async-invoke/abc", here, true},
			{"bedrock:ListAsyncInvokes", "*", here, true},
			{"bedrock:ListAsyncInvokes", "*", map[string][]string{keyRegion: {"eu-west-1"}}, false},
			{"s3:PutObject", "arn:aws:s3:::videos/a", map[string][]string{"s3:ResourceAccount": {"111122223333"}}, true},
			{"s3:PutObject", "arn:aws:s3:::videos/a", map[string][]string{"s3:ResourceAccount": {"999988887777"}}, false},
			{"s3:PutObject", "arn:aws:s3:::videos2/a", map[string][]string{"s3:ResourceAccount": {"111122223333"}}, false},
		}},
		{"a voice operation", func(o *securebedrock.Options, a *Account) {
			o.UnguardedOperations = map[string]string{"InvokeModelWithBidirectionalStream": "voice"}
			a.OutputBuckets = []string{"videos"}
		}, []ask{
			{invokeModel, haiku, here, true},
			{invokeModelStream, haiku, here, false},
			{"bedrock:GetAsyncInvoke", own + "async-invoke/abc", here, false},
			{"s3:PutObject", "arn:aws:s3:::videos/a", map[string][]string{"s3:ResourceAccount": {"111122223333"}}, false},
		}},
		{"images of a bucket", func(o *securebedrock.Options, a *Account) {
			a.InputBuckets = []string{"media"}
			o.Accounts = []string{"111122223333", "222233334444"}
		}, []ask{
			{"s3:GetObject", "arn:aws:s3:::media/a.png", map[string][]string{"s3:ResourceAccount": {"222233334444"}}, true},
			{"s3:GetObject", "arn:aws:s3:::media/a.png", map[string][]string{"s3:ResourceAccount": {"999988887777"}}, false},
			{"s3:GetObject", "arn:aws:s3:::other/a.png", map[string][]string{"s3:ResourceAccount": {"111122223333"}}, false},
			{"s3:PutObject", "arn:aws:s3:::media/a.png", map[string][]string{"s3:ResourceAccount": {"111122223333"}}, false},
		}},
		{"models of the account", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{own + "imported-model/abc", own + "custom-model-deployment/d*", own + "provisioned-model/e", endpoint}
		}, []ask{
			{invokeModel, own + "imported-model/abc", guarded, true},
			{invokeModel, own + "imported-model/abc", here, false},
			{invokeModel, own + "custom-model-deployment/def", guarded, true},
			{invokeModel, own + "custom-model-deployment/xyz", guarded, false},
			{invokeModel, own + "provisioned-model/e", guarded, true},
			{invokeModel, own + "marketplace/model-endpoint/all-access", guarded, true},
			{"sagemaker:InvokeEndpoint", endpoint, map[string][]string{"aws:CalledViaLast": {"bedrock.amazonaws.com"}}, true},
			{"sagemaker:InvokeEndpointWithResponseStream", endpoint, map[string][]string{"aws:CalledViaLast": {"bedrock.amazonaws.com"}}, true},
			{"sagemaker:InvokeEndpoint", endpoint, here, false},
			{"sagemaker:InvokeEndpoint", endpoint + "2", map[string][]string{"aws:CalledViaLast": {"bedrock.amazonaws.com"}}, false},
			{"bedrock:CountTokens", haiku, here, false},
		}},
		{"any model", func(o *securebedrock.Options, _ *Account) { o.Models = nil }, []ask{
			{invokeModel, haiku, guarded, true},
			{invokeModel, haiku, here, false},
			{"bedrock:CountTokens", haiku, here, true},
			{invokeModel, own + "imported-model/abc", guarded, true},
			{invokeModel, own + "inference-profile/eu.anthropic.a", guarded, false},
			{invokeModel, "arn:aws:bedrock:eu-west-1::foundation-model/anthropic.a", guarded, false},
		}},
		{"a key for the guardrail", func(_ *securebedrock.Options, a *Account) {
			a.Resources.GuardrailKey.ARN = key
			a.Resources.Callers = []string{"arn:aws:iam::111122223333:role/app"}
		}, []ask{
			{"kms:Decrypt", key, here, false}, // through Bedrock alone: TestDocumentsAgreeWithTheClient
			{"kms:GenerateDataKey", key, here, false},
		}},
	} {
		t.Run(row.about, func(t *testing.T) {
			t.Parallel()
			opts, acct := one()
			row.set(&opts, &acct)
			s := specOf(t, opts, acct)
			written := forms(s)
			docs, err := Invoke(s)
			if err != nil {
				t.Fatal(err)
			}
			written["Invoke"] = docs
			for form, docs := range written {
				for _, a := range row.asks {
					verdict, err := Decide(docs, Request{Principal: "arn:aws:iam::111122223333:role/app", Action: a.action, Resource: a.resource, Context: a.context})
					if err != nil || verdict.Allowed != a.want {
						t.Errorf("%s: %s on %s with %v: %+v, %v", form, a.action, a.resource, a.context, verdict, err)
					}
				}
			}
		})
	}
}

func TestRelaxationsStandInThePurpose(t *testing.T) {
	t.Parallel()
	opts, acct := one()
	opts.UnguardedOperations = map[string]string{"StartAsyncInvoke": "videos are reviewed by hand."}
	acct.Unguardable = map[string]string{"amazon.titan-embed-text-v2:0": "embeddings take none"}
	for _, d := range mustInvoke(t, specOf(t, opts, acct)) {
		for _, want := range []string{"videos are reviewed by hand.", "embeddings take none", "StartAsyncInvoke", "amazon.titan-embed-text-v2:0"} {
			if !strings.Contains(d.Purpose, want) || strings.Contains(d.Purpose, "..") {
				t.Errorf("%q does not hold %q", d.Purpose, want)
			}
		}
	}
	opts, acct = one()
	opts.Guardrail, opts.Unguarded = securebedrock.Guardrail{}, "the model writes test data"
	for _, d := range mustInvoke(t, specOf(t, opts, acct)) {
		if !strings.Contains(d.Purpose, opts.Unguarded) || strings.Contains(d.JSON(), keyGuardrail) {
			t.Errorf("%q, %s", d.Purpose, d.JSON())
		}
	}
}

func TestInvokeAnyForgetsModels(t *testing.T) {
	t.Parallel()
	opts, acct := one()
	docs, err := InvokeAny(specOf(t, opts, acct))
	if err != nil || len(docs) != 1 || docs[0].Name != "invoke-any" {
		t.Fatalf("%+v, %v", docs, err)
	}
	opts.Models = nil
	if same := mustInvoke(t, specOf(t, opts, acct)); same[0].JSON() != docs[0].JSON() {
		t.Errorf("%s differs from %s", docs[0].JSON(), same[0].JSON())
	}
	all, err := All(specOf(t, opts, acct))
	if err != nil || slices.ContainsFunc(all, func(d Document) bool { return d.Name == "invoke-any" }) {
		t.Errorf("All gives invoke-any, or %v", err)
	}
}

// TestInvokeIsSplitByStatements: the parts of a policy allow together what the whole
// would.
func TestInvokeIsSplitByStatements(t *testing.T) {
	t.Parallel()
	opts, acct := american(90)
	opts.UnguardedOperations = map[string]string{"StartAsyncInvoke": "video"}
	docs := mustInvoke(t, specOf(t, opts, acct))
	if len(docs) < 2 {
		t.Fatalf("%d document of %d characters", len(docs), docs[0].Size())
	}
	for i, d := range docs {
		if d.Size() > 6144 || !strings.HasSuffix(d.Name, "-"+string(rune('1'+i))) {
			t.Errorf("%s has %d characters", d.Name, d.Size())
		}
	}
	s := specOf(t, opts, acct)
	last := strings.TrimPrefix(opts.Models[89], "us.")
	if c := (call{"us", last, "us-west-2", invokeModelStream, s.guardrail + ":3"}); !c.allows(t, s, docs) {
		t.Error("the last model is not allowed")
	}
}

func mustInvoke(t *testing.T, s *Spec) []Document {
	t.Helper()
	docs, err := Invoke(s)
	if err != nil {
		t.Fatal(err)
	}
	return docs
}
