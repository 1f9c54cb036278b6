package policy

import (
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// TestDocumentsAgreeWithTheClient holds the documents of one configuration, all of them
// attached, against calls that the client makes or that Account says are in use, and
// against their neighbours that nobody makes.
func TestDocumentsAgreeWithTheClient(t *testing.T) {
	t.Parallel()
	const own, gov = "arn:aws:bedrock:eu-central-1:111122223333:", "arn:aws-us-gov:bedrock:us-gov-west-1:"
	guarded := []string{keyGuardrail, "arn:aws:bedrock:eu-central-1:111122223333:guardrail/gr1234567890:3"}
	leg := func(profile string) []string { return append([]string{keyProfile, profile}, guarded...) }
	profiles := func(o *securebedrock.Options, _ *Account) {
		o.Models, o.Profiles, o.Residency = nil, resolver{}, []string{"eu-west-1"}
	}
	embedding := func(o *securebedrock.Options, a *Account) {
		profiles(o, a)
		a.Unguardable = map[string]string{"amazon.titan-embed-text-v2:0": "embeddings"}
	}
	unguarded := func(o *securebedrock.Options, a *Account) {
		o.Guardrail, o.Unguarded = securebedrock.Guardrail{}, "public pages"
		o.Accounts, a.GuardrailProfile = []string{"999988887777"}, "eu.guardrail.v1:0"
		o.Residency = []string{"eu-west-1"}
	}
	key := func(_ *securebedrock.Options, a *Account) {
		a.ID, a.Resources.GuardrailKey.ARN, a.Resources.ModelKey.ARN = resAccount, keyOf("guardrail"), keyOf("model")
		a.Resources.Callers = []string{roleOf("app")}
	}
	const prompt = own + "prompt/ABCDEFGHIJ:1"
	prompts := func(o *securebedrock.Options, a *Account) {
		o.Models, o.Profiles, o.Residency = []string{prompt}, resolver{}, []string{"eu-west-1"}
		a.ProfileModels = map[string][]string{prompt: {"amazon.nova-lite-v1:0", "arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-lite-v1:0"}}
	}
	const nova = "::foundation-model/amazon.nova-lite-v1:0"
	batch := func(_ *securebedrock.Options, a *Account) { a.Resources.BatchRole = roleOf("batch") }
	spared := func(o *securebedrock.Options, a *Account) {
		batch(o, a)
		a.ExceptPrincipals = map[string]string{roleOf("batch"): "nightly translations"}
	}
	for _, row := range []struct {
		about   string
		set     func(*securebedrock.Options, *Account)
		build   builder
		request Request
		want    bool
	}{
		{"a profile of a prefix that only Options.Profiles know", profiles, Invoke, ask(invokeModel, own+"inference-profile/amer.new.model-v1:0", guarded...), true},
		{"its leg in a region of Residency", profiles, Invoke,
			in("eu-west-1", ask(invokeModel, "arn:aws:bedrock:eu-west-1::foundation-model/new.model-v1:0", leg(own+"inference-profile/amer.new.model-v1:0")...)), true},
		{"its leg outside of Residency", profiles, Invoke,
			in("us-east-1", ask(invokeModel, "arn:aws:bedrock:us-east-1::foundation-model/new.model-v1:0", leg(own+"inference-profile/amer.new.model-v1:0")...)), false},
		{"the region-less leg of a global profile", profiles, Invoke,
			in(unspecified, ask(invokeModel, "arn:aws:bedrock:::foundation-model/new.model-v1:0", leg(own+"inference-profile/global.new.model-v1:0")...)), false},
		{"a profile without the guardrail", profiles, Invoke, ask(invokeModel, own+"inference-profile/amer.new.model-v1:0"), false},
		{"a profile of a model that takes none, without the guardrail", embedding, Invoke, ask(invokeModel, own+"inference-profile/amer.amazon.titan-embed-text-v2:0"), true},
		{"another profile beside it", embedding, Invoke, ask(invokeModel, own+"inference-profile/amer.new.model-v1:0"), false},
		{"a profile that runs in Region alone", func(o *securebedrock.Options, _ *Account) {
			o.Region, o.Models, o.Profiles = "us-gov-west-1", nil, resolver{}
		}, Invoke, in("us-gov-west-1", ask(invokeModel, gov+"111122223333:inference-profile/us-gov.anthropic.claude-3-haiku-20240307-v1:0",
			keyGuardrail, gov+"111122223333:guardrail/gr1234567890:3")), true},

		{"a guardrail of the account, where Options are unguarded", unguarded, Invoke, ask("bedrock:ApplyGuardrail", own+"guardrail/abc"), true},
		{"a guardrail of one of Options.Accounts", unguarded, Invoke, ask("bedrock:ApplyGuardrail", "arn:aws:bedrock:eu-central-1:999988887777:guardrail/abc"), true},
		{"a guardrail of an account that is none of them", unguarded, Invoke, ask("bedrock:ApplyGuardrail", "arn:aws:bedrock:eu-central-1:444455556666:guardrail/abc"), false},
		{"the profile that such a guardrail is evaluated through", unguarded, Invoke,
			in("eu-west-1", ask("bedrock:ApplyGuardrail", "arn:aws:bedrock:eu-west-1:111122223333:guardrail-profile/eu.guardrail.v1:0")), true},

		{"the guardrail's key, as Bedrock uses it", key, Invoke, ask("kms:Decrypt", keyOf("guardrail"), "kms:ViaService", "bedrock.eu-central-1.amazonaws.com"), true},
		{"the guardrail's key by itself", key, Invoke, ask("kms:Decrypt", keyOf("guardrail")), false},
		{"the models' key, as Bedrock uses it", key, Invoke, ask("kms:Decrypt", keyOf("model"), "kms:ViaService", "bedrock.eu-central-1.amazonaws.com"), true},
		{"the models' key by itself", key, Invoke, ask("kms:Decrypt", keyOf("model")), false},

		{"a prompt's model in Region", prompts, Invoke, ask(invokeModel, "arn:aws:bedrock:eu-central-1"+nova, guarded...), true},
		{"a prompt's model in another region, through its profile", prompts, Invoke,
			in("eu-west-1", ask(invokeModel, "arn:aws:bedrock:eu-west-1"+nova, leg(own+"inference-profile/eu.amazon.nova-lite-v1:0")...)), true},
		{"a prompt's model in another region, called there", prompts, Invoke, in("eu-west-1", ask(invokeModel, "arn:aws:bedrock:eu-west-1"+nova, guarded...)), false},

		{"a batch job whose role nothing spares", batch, guardedRoutes, ask("bedrock:CreateModelInvocationJob", "*"), false},
		{"a batch job whose role is spared", spared, guardedRoutes, ask("bedrock:CreateModelInvocationJob", "*"), true},
		{"Mantle, where batch jobs are in use", spared, guardedRoutes, ask("bedrock-mantle:CreateInference", "*"), false},
	} {
		t.Run(row.about, func(t *testing.T) {
			t.Parallel()
			opts, acct := one()
			row.set(&opts, &acct)
			s := specOf(t, opts, acct)
			docs, err := row.build(s)
			if err != nil {
				t.Fatal(err)
			}
			if docs[0].Kind == KindSCP {
				docs = append(docs, doc(KindManaged, allowing("Everything", nil, "*", "*")))
			}
			got, err := Decide(docs, row.request)
			if err != nil {
				t.Fatal(err)
			}
			if got.Allowed != row.want {
				t.Errorf("%+v, want %v", got, row.want)
			}
		})
	}
}

// FullAWSAccess takes one of the ten attachments of an SCP.
func TestSplitSCPLeavesRoomForFullAWSAccess(t *testing.T) {
	t.Parallel()
	d := Document{Name: "scp", Kind: KindSCP}
	for n := 1; n <= 10; n++ {
		docs, err := fit(d)
		if err != nil {
			t.Errorf("%d documents: %v", n-1, err)
		}
		if n > 2 && len(docs) != n-1 {
			t.Errorf("%d documents, want %d", len(docs), n-1)
		}
		d.Statements = append(d.Statements, denying("Deny", nil, "arn:aws:bedrock:eu-central-1:111122223333:"+strings.Repeat("x", 9000), "bedrock:*"))
	}
	if docs, err := fit(d); err == nil {
		t.Errorf("%d documents beside FullAWSAccess", len(docs))
	}
}
