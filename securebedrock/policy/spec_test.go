package policy

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// specOf makes a Spec that must be without faults.
func specOf(t testing.TB, opts securebedrock.Options, acct Account) *Spec {
	t.Helper()
	s, err := For(opts, acct)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// one is a client of one region, one model and a guardrail.
func one() (securebedrock.Options, Account) {
	return securebedrock.Options{
		Region:    "eu-central-1",
		Guardrail: securebedrock.Guardrail{ID: "gr1234567890", Version: "3"},
		Models:    []string{"anthropic.claude-3-haiku-20240307-v1:0"},
	}, Account{ID: "111122223333"}
}

func TestForNamesEveryFault(t *testing.T) {
	t.Parallel()
	const app = "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/abc"
	for _, row := range []struct {
		about string
		set   func(*securebedrock.Options, *Account)
		want  string
	}{
		{"no account", func(_ *securebedrock.Options, a *Account) { a.ID = "" }, "Account.ID: it is required"},
		{"an account of eleven digits", func(_ *securebedrock.Options, a *Account) { a.ID = "11112222333" }, "Account.ID: \"11112222333\" is not an account's twelve digits"},
		{"another partition", func(_ *securebedrock.Options, a *Account) { a.Partition = "aws-cn" }, "Account.Partition: \"aws-cn\" is not the partition of Region"},
		{"a malformed organisation", func(_ *securebedrock.Options, a *Account) { a.Organization = "o-ABC" }, "Account.Organization"},
		{"a role of another account", func(o *securebedrock.Options, _ *Account) {
			o.Role = &securebedrock.Role{ARN: "arn:aws:iam::999988887777:role/app"}
		}, "Role.ARN: the role is of account 999988887777"},
		{"a guardrail of another account", func(o *securebedrock.Options, _ *Account) {
			o.Guardrail.ID = "arn:aws:bedrock:eu-central-1:999988887777:guardrail/gr1234567890"
		}, "Guardrail.ID: the guardrail is of account"},
		{"DRAFT, even where the client takes it", func(o *securebedrock.Options, _ *Account) {
			o.Guardrail.Version, o.Guardrail.AllowDraft = "DRAFT", true
		}, "Guardrail.Version: a policy cannot pin DRAFT"},
		{"global without *", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"global.anthropic.claude-sonnet-4-5-20250929-v1:0"}
		}, "put \"*\" into Residency"},
		{"a profile that leaves Residency", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"eu.anthropic.claude-sonnet-4-5-20250929-v1:0"}
		}, "the profile can run in eu-north-1, which is not in Residency"},
		{"a profile that Region cannot call", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"us.amazon.nova-pro-v1:0"}
		}, "no profile of the prefix \"us\" is known to be callable"},
		{"any model at all", func(o *securebedrock.Options, _ *Account) { o.Models = []string{"*"} }, "more than one kind of model"},
		{"a word within any identifier", func(o *securebedrock.Options, _ *Account) { o.Models = []string{"*claude*"} }, "more than one kind of model"},
		{"half a provider", func(o *securebedrock.Options, _ *Account) { o.Models = []string{"a*"} }, "more than one kind of model"},
		{"any prefix", func(o *securebedrock.Options, _ *Account) { o.Models = []string{"*.anthropic.claude"} }, "more than one kind of model"},
		{"any ARN", func(o *securebedrock.Options, _ *Account) { o.Models = []string{"arn:*"} }, "a '*' can stand within the resource's name only"},
		{"any partition", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"arn:*:bedrock:eu-central-1::foundation-model/x.y"}
		}, "a '*' can stand within the resource's name only"},
		{"any service", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"arn:aws:*:eu-central-1::foundation-model/x.y"}
		}, "a '*' can stand within the resource's name only"},
		{"any region", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"arn:aws:bedrock:*::foundation-model/x.y"}
		}, "a '*' can stand within the resource's name only"},
		{"any account", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"arn:aws:bedrock:eu-central-1:*:imported-model/abc"}
		}, "a '*' can stand within the resource's name only"},
		{"any type", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"arn:aws:bedrock:eu-central-1:111122223333:*/abc"}
		}, "a '*' can stand within the resource's name only"},
		{"a profile of any prefix", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"arn:aws:bedrock:eu-central-1:111122223333:inference-profile/*"}
		}, "the profile's prefix is missing"},
		{"a profile of half a prefix", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"arn:aws:bedrock:eu-central-1:111122223333:inference-profile/e*.anthropic.x"}
		}, "the profile's prefix has a '*'"},
		{"IAM's single wildcard", func(o *securebedrock.Options, _ *Account) { o.Models = []string{"anthropic.claude-?"} }, "'?'"},
		{"IAM's variable", func(o *securebedrock.Options, _ *Account) { o.Models = []string{"anthropic.${aws:username}"} }, "'$'"},
		{"a word", func(o *securebedrock.Options, _ *Account) { o.Models = []string{"claude"} }, "more than one kind of model"},
		{"an unknown first word that could be a prefix", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"amer.anthropic.x"}
		}, "no profile of the prefix \"amer\""},
		{"an ARN of another region", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"arn:aws:bedrock:eu-west-1::foundation-model/x.y"}
		}, "another region than Region"},
		{"an ARN of another partition", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"arn:aws-cn:bedrock:eu-central-1::foundation-model/x.y"}
		}, "another partition than Region"},
		{"an ARN of a foreign account", func(o *securebedrock.Options, _ *Account) {
			o.Models = []string{"arn:aws:bedrock:eu-central-1:999988887777:imported-model/abc"}
		}, "it is of account 999988887777; name the account in Options.Accounts"},
		{"an application profile alone", func(o *securebedrock.Options, _ *Account) { o.Models = []string{app} }, "name the models in Account.ProfileModels"},
		{"an application profile that leaves Residency", func(o *securebedrock.Options, a *Account) {
			o.Models = []string{app}
			a.ProfileModels = map[string][]string{app: {"arn:aws:bedrock:eu-west-1::foundation-model/anthropic.x"}}
		}, "it can run in eu-west-1"},
		{"an application profile that runs anywhere", func(o *securebedrock.Options, a *Account) {
			o.Models = []string{app}
			a.ProfileModels = map[string][]string{app: {"arn:aws:bedrock:::foundation-model/anthropic.x"}}
		}, "it can run in every region"},
		{"a profile without models", func(_ *securebedrock.Options, a *Account) { a.ProfileModels = map[string][]string{app: nil} }, "Account.ProfileModels: \"" + app + "\" has no models"},
		{"a profile of another region", func(_ *securebedrock.Options, a *Account) {
			a.ProfileModels = map[string][]string{strings.Replace(app, "eu-central-1", "eu-west-1", 1): {"anthropic.x"}}
		}, "another region than Region"},
		{"a profile that is a system profile", func(_ *securebedrock.Options, a *Account) {
			a.ProfileModels = map[string][]string{"eu.anthropic.x": {"anthropic.x"}}
		}, "is not the ARN of an application inference profile"},
		{"a profile behind a profile", func(_ *securebedrock.Options, a *Account) {
			a.ProfileModels = map[string][]string{app: {"eu.anthropic.x"}}
		}, "is not a foundation model"},
		{"a model of another partition behind a profile", func(_ *securebedrock.Options, a *Account) {
			a.ProfileModels = map[string][]string{app: {"arn:aws-cn:bedrock:cn-north-1::foundation-model/anthropic.x"}}
		}, "is of another partition"},
		{"a guardrail profile that is an ARN", func(_ *securebedrock.Options, a *Account) {
			a.GuardrailProfile = "arn:aws:bedrock:eu-central-1:111122223333:guardrail-profile/eu.guardrail.v1:0"
		}, "Account.GuardrailProfile"},
		{"a guardrail profile with a wildcard", func(_ *securebedrock.Options, a *Account) { a.GuardrailProfile = "eu.guardrail.*" }, "Account.GuardrailProfile"},
		{"an unguardable profile", func(_ *securebedrock.Options, a *Account) {
			a.Unguardable = map[string]string{"eu.cohere.embed-v4:0": "embeddings"}
		}, "Account.Unguardable: \"eu.cohere.embed-v4:0\" is not the ID of a foundation model"},
		{"an unguardable pattern", func(_ *securebedrock.Options, a *Account) {
			a.Unguardable = map[string]string{"cohere.*": "embeddings"}
		}, "Account.Unguardable"},
		{"an unguardable model for no reason", func(_ *securebedrock.Options, a *Account) {
			a.Unguardable = map[string]string{"cohere.embed-v4:0": " "}
		}, "Account.Unguardable: \"cohere.embed-v4:0\" has no reason"},
		{"a spared principal that is no role", func(_ *securebedrock.Options, a *Account) {
			a.ExceptPrincipals = map[string]string{"arn:aws:iam::111122223333:root": "x"}
		}, "is not the ARN of an IAM role"},
		{"any spared role", func(_ *securebedrock.Options, a *Account) {
			a.ExceptPrincipals = map[string]string{"arn:aws:iam::111122223333:role/*": "x"}
		}, "has a wildcard; name one role"},
		{"a spared role of another partition", func(_ *securebedrock.Options, a *Account) {
			a.ExceptPrincipals = map[string]string{"arn:aws-cn:iam::111122223333:role/kb": "x"}
		}, "is of another partition"},
		{"a spared role for no reason", func(_ *securebedrock.Options, a *Account) {
			a.ExceptPrincipals = map[string]string{"arn:aws:iam::111122223333:role/kb": ""}
		}, "has no reason"},
		{"a fault of the Options themselves", func(o *securebedrock.Options, _ *Account) { o.Retry.MaxAttempts = -1 }, "Retry.MaxAttempts"},
	} {
		t.Run(row.about, func(t *testing.T) {
			t.Parallel()
			opts, acct := one()
			row.set(&opts, &acct)
			s, err := For(opts, acct)
			if s != nil || !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), row.want) {
				t.Errorf("got %v, %v; want a fault with %q", s, err, row.want)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Errorf("one fault is reported as %v", err)
			}
		})
	}
}

func TestForReportsAllFaultsAtOnce(t *testing.T) {
	t.Parallel()
	_, err := For(securebedrock.Options{Models: []string{"*"}}, Account{ID: "1", Organization: "x"})
	for _, field := range []string{"Region: it is required", "Guardrail.ID", "Account.ID", "Account.Organization"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}

// A field that the core gains must be copied, or a later change of the caller's Options
// would change a Spec.
func TestSpecSharesNothingWithOptions(t *testing.T) {
	o := securebedrock.Options{
		Region: "us-east-1", Guardrail: securebedrock.Guardrail{ID: "abc", Version: "1"},
		Residency: []string{"us-east-2"}, Models: []string{"amazon.nova-lite-v1:0"}, Accounts: []string{"111122223333"},
		Middleware:          []securebedrock.Middleware{func(next securebedrock.Handler) securebedrock.Handler { return next }},
		UnguardedOperations: map[string]string{"StartAsyncInvoke": "videos"},
		Role: &securebedrock.Role{ARN: "arn:aws:iam::111122223333:role/ask",
			Tags: map[string]string{"team": "claims"}, TransitiveTagKeys: []string{"team"}},
	}
	own := specOf(t, o, Account{ID: "111122223333"}).opts
	var compare func(path string, a, b reflect.Value)
	compare = func(path string, a, b reflect.Value) {
		switch a.Kind() {
		case reflect.Struct:
			for i := range a.NumField() {
				compare(path+"."+a.Type().Field(i).Name, a.Field(i), b.Field(i))
			}
		case reflect.Pointer:
			if a.IsNil() || a.Pointer() == b.Pointer() {
				t.Errorf("%s is nil here, or shared", path)
				return
			}
			compare(path, a.Elem(), b.Elem())
		case reflect.Slice, reflect.Map:
			if a.Len() == 0 || a.Pointer() == b.Pointer() {
				t.Errorf("%s is empty here, or shared", path)
			}
		default: // values, and the application's own interfaces
		}
	}
	compare("Options", reflect.ValueOf(o), reflect.ValueOf(own))
}
