package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// europe is a client of the profiles of Europe in an organisation.
func europe() (securebedrock.Options, Account) {
	opts, acct := one()
	opts.Residency = securebedrock.Geography("eu")
	opts.Models = []string{"eu.amazon.nova-pro-v1:0", "amazon.titan-embed-text-v2:0"}
	opts.Role = &securebedrock.Role{ARN: "arn:aws:iam::111122223333:role/app", SourceIdentity: "app", Tags: map[string]string{"team": "red"}}
	acct.Organization = "o-abcdefghij"
	return opts, acct
}

// shortened leaves out what the tests of this file have in common.
func shortened(a Authorization) string {
	verdict := "denied"
	switch {
	case a.Undecided != "":
		verdict = "undecided"
	case a.Decision.Allowed:
		verdict = "allowed"
	}
	resource := strings.NewReplacer("arn:aws:bedrock:", "", ":111122223333:", "::").Replace(a.Resource)
	line := fmt.Sprintf("%s %s %s in %s", verdict, a.Action, resource, a.Region)
	if g := a.Request.Context[keyGuardrail]; g != nil {
		line += " guarded"
	}
	if p := a.Request.Context[keyProfile]; p != nil {
		line += " by profile"
	}
	if p := a.Request.Context[keyRouter]; p != nil {
		line += " by router"
	}
	return line
}

// TestExplain: every authorization of a call, in order, with its decision.
func TestExplain(t *testing.T) {
	t.Parallel()
	const app = "arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/abc"
	const router = "arn:aws:bedrock:eu-central-1:111122223333:prompt-router/r1"
	const prompt = "arn:aws:bedrock:eu-central-1:111122223333:prompt/p1:2"
	for _, c := range []struct {
		name string
		set  func(*securebedrock.Options, *Account)
		call Call
		want []string
	}{
		{"Converse of a model is InvokeModel", nil, Call{Model: "amazon.titan-embed-text-v2:0"}, []string{
			"undecided sts:AssumeRole arn:aws:iam:::role/app in eu-central-1",
			"undecided sts:TagSession arn:aws:iam:::role/app in eu-central-1",
			"undecided sts:SetSourceIdentity arn:aws:iam:::role/app in eu-central-1",
			"allowed bedrock:InvokeModel eu-central-1::foundation-model/amazon.titan-embed-text-v2:0 in eu-central-1 guarded",
			"allowed bedrock:ApplyGuardrail eu-central-1::guardrail/gr1234567890 in eu-central-1",
		}},
		{"a profile is authorized in every destination", func(o *securebedrock.Options, _ *Account) { o.Role = nil }, Call{Operation: "ConverseStream", Model: "eu.amazon.nova-pro-v1:0"}, []string{
			"allowed bedrock:InvokeModelWithResponseStream eu-central-1::inference-profile/eu.amazon.nova-pro-v1:0 in eu-central-1 guarded",
			"allowed bedrock:InvokeModelWithResponseStream eu-central-1::foundation-model/amazon.nova-pro-v1:0 in eu-central-1 guarded by profile",
			"allowed bedrock:InvokeModelWithResponseStream eu-north-1::foundation-model/amazon.nova-pro-v1:0 in eu-north-1 guarded by profile",
			"allowed bedrock:InvokeModelWithResponseStream eu-south-1::foundation-model/amazon.nova-pro-v1:0 in eu-south-1 guarded by profile",
			"allowed bedrock:InvokeModelWithResponseStream eu-south-2::foundation-model/amazon.nova-pro-v1:0 in eu-south-2 guarded by profile",
			"allowed bedrock:InvokeModelWithResponseStream eu-west-1::foundation-model/amazon.nova-pro-v1:0 in eu-west-1 guarded by profile",
			"allowed bedrock:InvokeModelWithResponseStream eu-west-3::foundation-model/amazon.nova-pro-v1:0 in eu-west-3 guarded by profile",
			"allowed bedrock:ApplyGuardrail eu-central-1::guardrail/gr1234567890 in eu-central-1",
		}},
		{"a global profile has a leg without a region", func(o *securebedrock.Options, _ *Account) {
			o.Role, o.Residency, o.Models = nil, []string{"*"}, []string{"global.amazon.nova-2-lite-v1:0"}
		}, Call{Model: "global.amazon.nova-2-lite-v1:0"}, []string{
			"allowed bedrock:InvokeModel eu-central-1::inference-profile/global.amazon.nova-2-lite-v1:0 in eu-central-1 guarded",
			"allowed bedrock:InvokeModel eu-central-1::foundation-model/amazon.nova-2-lite-v1:0 in eu-central-1 guarded by profile",
			"allowed bedrock:InvokeModel ::foundation-model/amazon.nova-2-lite-v1:0 in unspecified guarded by profile",
			"allowed bedrock:ApplyGuardrail eu-central-1::guardrail/gr1234567890 in eu-central-1",
		}},
		{"an application profile has what Account says", func(o *securebedrock.Options, a *Account) {
			o.Role, o.Models = nil, []string{app}
			a.ProfileModels = map[string][]string{app: {"arn:aws:bedrock:eu-west-1::foundation-model/amazon.nova-pro-v1:0"}}
		}, Call{Model: app}, []string{
			"allowed bedrock:InvokeModel eu-central-1::application-inference-profile/abc in eu-central-1 guarded",
			"allowed bedrock:InvokeModel eu-west-1::foundation-model/amazon.nova-pro-v1:0 in eu-west-1 guarded by profile",
			"allowed bedrock:ApplyGuardrail eu-central-1::guardrail/gr1234567890 in eu-central-1",
		}},
		{"a prompt router ties its models by a key of its own", func(o *securebedrock.Options, a *Account) {
			o.Role, o.Models = nil, []string{router}
			a.ProfileModels = map[string][]string{router: {"amazon.nova-pro-v1:0"}}
		}, Call{Model: router}, []string{
			"allowed bedrock:InvokeModel eu-central-1::prompt-router/r1 in eu-central-1 guarded",
			"allowed bedrock:InvokeModel eu-central-1::foundation-model/amazon.nova-pro-v1:0 in eu-central-1 guarded by router",
			"allowed bedrock:ApplyGuardrail eu-central-1::guardrail/gr1234567890 in eu-central-1",
		}},
		{"a managed prompt is rendered, and names its model", func(o *securebedrock.Options, a *Account) {
			o.Role, o.Models = nil, []string{prompt}
			a.ProfileModels = map[string][]string{prompt: {"amazon.nova-pro-v1:0"}}
		}, Call{Model: prompt}, []string{
			"allowed bedrock:RenderPrompt eu-central-1::prompt/p1:2 in eu-central-1",
			"allowed bedrock:InvokeModel eu-central-1::foundation-model/amazon.nova-pro-v1:0 in eu-central-1 guarded",
			"allowed bedrock:ApplyGuardrail eu-central-1::guardrail/gr1234567890 in eu-central-1",
		}},
		{"an imported model is itself", func(o *securebedrock.Options, _ *Account) {
			o.Role, o.Models = nil, []string{"arn:aws:bedrock:eu-central-1:111122223333:imported-model/*"}
		}, Call{Operation: "InvokeModel", Model: "arn:aws:bedrock:eu-central-1:111122223333:imported-model/m1"}, []string{
			"allowed bedrock:InvokeModel eu-central-1::imported-model/m1 in eu-central-1 guarded",
			"allowed bedrock:ApplyGuardrail eu-central-1::guardrail/gr1234567890 in eu-central-1",
		}},
		{"a marketplace endpoint is SageMaker's, too", func(o *securebedrock.Options, _ *Account) {
			o.Role, o.Models = nil, []string{"arn:aws:sagemaker:eu-central-1:111122223333:endpoint/e1"}
		}, Call{Operation: "ConverseStream", Model: "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/e1"}, []string{
			"allowed bedrock:InvokeModelWithResponseStream eu-central-1::marketplace/model-endpoint/all-access in eu-central-1 guarded",
			"allowed sagemaker:InvokeEndpointWithResponseStream arn:aws:sagemaker:eu-central-1::endpoint/e1 in eu-central-1",
			"allowed bedrock:ApplyGuardrail eu-central-1::guardrail/gr1234567890 in eu-central-1",
		}},
		{"the key of the guardrail is used for the caller", func(o *securebedrock.Options, a *Account) {
			o.Role, a.Resources.GuardrailKey.ARN = nil, "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"
			a.Resources.Callers = []string{"arn:aws:iam::111122223333:role/app"}
			o.Models = []string{"amazon.nova-pro-v1:0"}
		}, Call{Model: "amazon.nova-pro-v1:0"}, []string{
			"allowed bedrock:InvokeModel eu-central-1::foundation-model/amazon.nova-pro-v1:0 in eu-central-1 guarded",
			"allowed bedrock:ApplyGuardrail eu-central-1::guardrail/gr1234567890 in eu-central-1",
			"allowed kms:Decrypt arn:aws:kms:eu-central-1::key/00000000-0000-0000-0000-000000000000 in eu-central-1",
		}},
		{"an excused bidirectional stream is InvokeModel without the guardrail", func(o *securebedrock.Options, _ *Account) {
			o.Role, o.Models = nil, []string{"amazon.nova-2-sonic-v1:0"}
			o.UnguardedOperations = map[string]string{"InvokeModelWithBidirectionalStream": "voice has no guardrail"}
		}, Call{Operation: "InvokeModelWithBidirectionalStream", Model: "amazon.nova-2-sonic-v1:0"}, []string{
			"allowed bedrock:InvokeModel eu-central-1::foundation-model/amazon.nova-2-sonic-v1:0 in eu-central-1",
		}},
		{"Unguarded sends none", func(o *securebedrock.Options, _ *Account) {
			o.Role, o.Guardrail, o.Unguarded, o.Models = nil, securebedrock.Guardrail{}, "a test bench", []string{"amazon.nova-pro-v1:0"}
		}, Call{Model: "amazon.nova-pro-v1:0"}, []string{
			"allowed bedrock:InvokeModel eu-central-1::foundation-model/amazon.nova-pro-v1:0 in eu-central-1",
		}},
		{"CountTokens", func(o *securebedrock.Options, _ *Account) { o.Role = nil }, Call{Operation: "CountTokens", Model: "amazon.titan-embed-text-v2:0"}, []string{
			"allowed bedrock:CountTokens eu-central-1::foundation-model/amazon.titan-embed-text-v2:0 in eu-central-1",
		}},
		{"CountTokens takes no profile", func(o *securebedrock.Options, _ *Account) { o.Role = nil }, Call{Operation: "CountTokens", Model: "eu.amazon.nova-pro-v1:0"}, []string{
			"denied bedrock:CountTokens eu-central-1::inference-profile/eu.amazon.nova-pro-v1:0 in eu-central-1",
		}},
		{"ApplyGuardrail", func(o *securebedrock.Options, _ *Account) { o.Role = nil }, Call{Operation: "ApplyGuardrail"}, []string{
			"allowed bedrock:ApplyGuardrail eu-central-1::guardrail/gr1234567890 in eu-central-1",
		}},
		{"InvokeGuardrailChecks has no resource", func(o *securebedrock.Options, _ *Account) { o.Role = nil }, Call{Operation: "InvokeGuardrailChecks"}, []string{
			"allowed bedrock:InvokeGuardrailChecks * in eu-central-1",
		}},
	} {
		opts, acct := europe()
		if c.set != nil {
			c.set(&opts, &acct)
		}
		list, err := Explain(specOf(t, opts, acct), c.call)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got []string
		for _, a := range list {
			got = append(got, shortened(a))
			if a.Why == "" || a.Undecided == "" && a.Decision.Reason == "" || a.String() == "" {
				t.Errorf("%s: %+v", c.name, a)
			}
		}
		if strings.Join(got, "\n") != strings.Join(c.want, "\n") {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, strings.Join(got, "\n"), strings.Join(c.want, "\n"))
		}
	}
}

// TestExplainRefuses: what the client refuses reaches no policy, and the error names the
// client's rule.
func TestExplainRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		call Call
		want error
		text string
	}{
		{"a model that is not in Models", Call{Model: "anthropic.claude-3-haiku-20240307-v1:0"}, securebedrock.ErrModel, "not in Options.Models"},
		{"no model", Call{}, securebedrock.ErrModel, "no model identifier"},
		{"a malformed identifier", Call{Model: "a b"}, securebedrock.ErrModel, ""},
		{"the ARN of another region", Call{Model: "arn:aws:bedrock:us-east-1::foundation-model/amazon.titan-embed-text-v2:0"}, securebedrock.ErrRegion, "us-east-1"},
		{"the ARN of another partition", Call{Model: "arn:aws-cn:bedrock:eu-central-1::foundation-model/amazon.titan-embed-text-v2:0"}, securebedrock.ErrRegion, "aws-cn"},
		{"the ARN of another account", Call{Model: "arn:aws:bedrock:eu-central-1:444455556666:imported-model/x"}, securebedrock.ErrAccount, "444455556666"},
		{"an operation without a guardrail", Call{Operation: "StartAsyncInvoke", Model: "amazon.titan-embed-text-v2:0"}, securebedrock.ErrUnguardedOperation, "UnguardedOperations"},
		{"an operation that does not exist", Call{Operation: "RetrieveAndGenerate"}, securebedrock.ErrConfig, "Call.Operation"},
		{"a model for an operation that names none", Call{Operation: "ApplyGuardrail", Model: "x.y"}, securebedrock.ErrConfig, "Call.Model"},
	} {
		opts, acct := europe()
		list, err := Explain(specOf(t, opts, acct), c.call)
		if !errors.Is(err, c.want) || list != nil || !strings.Contains(fmt.Sprint(err), c.text) {
			t.Errorf("%s: %v, %v", c.name, list, err)
		}
	}
	opts, acct := one()
	opts.Models = nil
	for _, c := range []struct {
		model string
		want  error
	}{
		{"eu.amazon.nova-pro-v1:0", securebedrock.ErrResidency},
		{"us.amazon.nova-pro-v1:0", securebedrock.ErrResidency},
		{"global.amazon.nova-pro-v1:0", securebedrock.ErrResidency},
		{"newgeo.newprovider.model", securebedrock.ErrModel},
		{"arn:aws:bedrock:eu-central-1:111122223333:application-inference-profile/abc", securebedrock.ErrResidency},
	} {
		if list, err := Explain(specOf(t, opts, acct), Call{Model: c.model}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, %v", c.model, list, err)
		}
	}
}

// TestExplainPrincipal: the principal of the call is that of each request.
func TestExplainPrincipal(t *testing.T) {
	t.Parallel()
	opts, acct := europe()
	const other = "arn:aws:iam::111122223333:role/other"
	for _, c := range []struct {
		role *securebedrock.Role
		call string
		want string
	}{
		{opts.Role, "", opts.Role.ARN}, {opts.Role, other, other}, {nil, "", "arn:aws:iam::111122223333:root"}, {nil, other, other},
	} {
		opts.Role = c.role
		list, err := Explain(specOf(t, opts, acct), Call{Model: "amazon.titan-embed-text-v2:0", Principal: c.call})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			if a.Request.Principal != c.want {
				t.Errorf("principal %q: %+v", c.call, a)
			}
		}
	}
}

// TestExplainThroughEndpoint: the endpoint's policy judges what passes the endpoint, and
// only that.
func TestExplainThroughEndpoint(t *testing.T) {
	t.Parallel()
	opts, acct := europe()
	opts.Profiles = noProfiles{}
	opts.Models = append(opts.Models, "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/e1")
	acct.Resources.GuardrailKey.ARN = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-0000-0000-000000000000"
	const stranger = "arn:aws:iam::111122223333:role/stranger"
	for _, c := range []struct {
		url  string
		call Call
		want string // the actions that a stranger is denied at an endpoint
	}{
		{"", Call{Model: "eu.amazon.nova-pro-v1:0"}, ""},
		{"https://vpce-1.bedrock-runtime.eu-central-1.vpce.amazonaws.com", Call{Model: "eu.amazon.nova-pro-v1:0"}, "InvokeModel ApplyGuardrail"},
		{"", Call{Model: "eu.amazon.nova-pro-v1:0", ThroughEndpoint: true}, "GetInferenceProfile InvokeModel ApplyGuardrail"},
		{"", Call{Model: "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/e1", ThroughEndpoint: true}, "InvokeModel ApplyGuardrail"},
	} {
		opts.Endpoint.URL = c.url
		s := specOf(t, opts, acct)
		list, err := Explain(s, c.call)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range list {
			if a.Undecided == "" && !a.Decision.Allowed {
				t.Errorf("%s: %s", c.call.Model, a)
			}
		}
		c.call.Principal = stranger
		if list, err = Explain(s, c.call); err != nil {
			t.Fatal(err)
		}
		var denied []string
		for _, a := range list {
			_, action, _ := strings.Cut(a.Action, ":")
			if a.Undecided != "" || a.Decision.Allowed || slices.Contains(denied, action) {
				continue
			}
			if !strings.HasPrefix(a.Decision.Document, "endpoint-") {
				t.Errorf("%s: %s", c.call.Model, a)
			}
			denied = append(denied, action)
		}
		if strings.Join(denied, " ") != c.want {
			t.Errorf("%q, %+v: a stranger is denied %v, want %s", c.url, c.call, denied, c.want)
		}
	}
}

// TestExplainUnderTheSession: the session policy is Options.Role.Policy where there is one,
// and otherwise Session.
func TestExplainUnderTheSession(t *testing.T) {
	t.Parallel()
	opts, acct := europe()
	role := *opts.Role
	for _, c := range []struct {
		policy, want string
	}{
		{"", "allowed"},
		{`{"Version":"2012-10-17","Statement":{"Sid":"Other","Effect":"Allow","Action":"bedrock:ApplyGuardrail","Resource":"*"}}`, "Role.Policy"},
		{`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"bedrock:*","Resource":"*"}}`, "allowed"},
		{`{"Version":"2012-10-17","Statement":{"Effect":"Perhaps","Action":"bedrock:*","Resource":"*"}}`, "Options.Role.Policy"},
	} {
		role.Policy = c.policy
		opts.Role = &role
		list, err := Explain(specOf(t, opts, acct), Call{Model: "amazon.titan-embed-text-v2:0"})
		got := fmt.Sprint(err)
		if err == nil {
			if got = list[3].Decision.Document; list[3].Decision.Allowed {
				got = "allowed"
			}
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%s: %s, want %s", c.policy, got, c.want)
		}
	}
}

// noProfiles is a resolver that nobody asks.
type noProfiles struct{}

func (noProfiles) Destinations(context.Context, string, string) ([]string, error) {
	return nil, errors.New("asked")
}

// TestExplainUnderOtherDocuments: a request of Explain, decided under the article's region
// rule, is the AccessDenied that names a region nobody asked for.
func TestExplainUnderOtherDocuments(t *testing.T) {
	t.Parallel()
	opts, acct := europe()
	list, err := Explain(specOf(t, opts, acct), Call{Model: "eu.amazon.nova-pro-v1:0"})
	if err != nil {
		t.Fatal(err)
	}
	article := doc(KindSCP, denying("DenyOtherRegions", when("StringNotEquals", "aws:RequestedRegion", "eu-central-1", "eu-west-1"), "*", "bedrock:*"))
	var denied []string
	for _, a := range list {
		d, err := Decide([]Document{article}, a.Request)
		if err != nil {
			t.Fatal(err)
		}
		if !d.Allowed && a.Undecided == "" {
			denied = append(denied, a.Region)
		}
	}
	if got := strings.Join(denied, " "); got != "eu-north-1 eu-south-1 eu-south-2 eu-west-3" {
		t.Errorf("denied in %s", got)
	}
	line := list[4].String()
	for _, part := range []string{"allowed: bedrock:InvokeModel on arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-pro-v1:0 in eu-central-1 (", "): allowed by "} {
		if !strings.Contains(line, part) {
			t.Errorf("%s lacks %s", line, part)
		}
	}
}

// TestExplainNamesTheServiceOfThePartition: in China kms:ViaService has another domain, as
// the key's policy has.
func TestExplainNamesTheServiceOfThePartition(t *testing.T) {
	t.Parallel()
	const key = "arn:aws-cn:kms:cn-north-1:111122223333:key/guardrail"
	s := specOf(t, securebedrock.Options{
		Region:    "cn-north-1",
		Guardrail: securebedrock.Guardrail{ID: "gr1234567890", Version: "3"},
		Models:    []string{"amazon.nova-pro-v1:0"},
	}, Account{ID: "111122223333", Resources: Resources{
		Callers: []string{"arn:aws-cn:iam::111122223333:role/app"}, GuardrailKey: Key{ARN: key},
	}})
	list, err := Explain(s, Call{Model: "amazon.nova-pro-v1:0"})
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list, func(a Authorization) bool { return a.Action == "kms:Decrypt" })
	if i < 0 {
		t.Fatal("the guardrail's key is not asked for")
	}
	if got := list[i].Request.Context["kms:ViaService"]; !slices.Equal(got, []string{"bedrock.cn-north-1.amazonaws.com.cn"}) {
		t.Errorf("kms:ViaService is %v", got)
	}
}
