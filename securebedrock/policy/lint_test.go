package policy

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// What All writes has no finding.
func TestLintFindsNothingInWhatAllWrites(t *testing.T) {
	for _, c := range configurations() {
		docs, err := All(specOf(t, c.opts, c.acct))
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			for _, f := range Lint(d) {
				t.Errorf("%s: %s: %s", c.name, d.Name, f)
			}
		}
	}
}

const (
	lintedGuardrail = "arn:aws:bedrock:us-east-1:111122223333:guardrail/abc"
	lintedModel     = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"
	lintedProfile   = "arn:aws:bedrock:us-east-1:111122223333:inference-profile/us.amazon.nova-lite-v1:0"
)

// lintedStatement writes a statement's elements: Effect, Action and Resource.
func lintedStatement(effect, actions, resource, rest string) string {
	list := `"` + strings.ReplaceAll(actions, " ", `","`) + `"`
	s := `"Effect":"` + effect + `","Action":[` + list + `]`
	if resource != "" {
		s += `,"Resource":["` + strings.ReplaceAll(resource, " ", `","`) + `"]`
	}
	if rest != "" {
		s += "," + rest
	}
	return s
}

func onlyIf(operator, key, values string) string {
	return `"Condition":{"` + operator + `":{"` + key + `":["` + strings.ReplaceAll(values, " ", `","`) + `"]}}`
}

// Each row is a statement, or two, and the rules that it breaks, in order.
func TestLint(t *testing.T) {
	const both = "bedrock:InvokeModel bedrock:InvokeModelWithResponseStream"
	const service = `"Principal":{"Service":"bedrock.amazonaws.com"}`
	const oidc = `"Principal":{"Federated":"arn:aws:iam::111122223333:oidc-provider/id.example.com"}`
	st := lintedStatement
	var report strings.Builder
	for _, row := range []struct {
		name       string
		kind       Kind
		statements []string
		want       []Rule
	}{
		{"the models and their profile", KindManaged, []string{st("Allow", both, lintedModel+" "+lintedProfile, onlyIf("StringEquals", "bedrock:GuardrailIdentifier", lintedGuardrail+":1"))}, nil},
		{"everything", KindManaged, []string{st("Allow", "*", "*", "")}, nil},
		{"an action of a service that the table lacks", KindManaged, []string{st("Allow", "ec2:RunInstances", "*", "")}, nil},
		{"a Bedrock service that the table lacks", KindManaged, []string{st("Allow", "bedrock-agentcore:InvokeAgentRuntime", "*", "")}, nil},

		{"Converse", KindManaged, []string{st("Allow", "bedrock:Converse", "*", "")}, []Rule{RuleAction}},
		{"ConverseStream", KindManaged, []string{st("Allow", "bedrock:ConverseStream", "*", "")}, []Rule{RuleAction}},
		{"StartAsyncInvoke", KindManaged, []string{st("Deny", "bedrock:StartAsyncInvoke", "*", "")}, []Rule{RuleAction}},
		{"the bidirectional stream", KindManaged, []string{st("Deny", "bedrock:InvokeModelWithBidirectionalStream", "*", "")}, []Rule{RuleAction}},
		{"Mantle's inference under bedrock:", KindManaged, []string{st("Deny", "bedrock:CreateInference", "*", "")}, []Rule{RuleAction}},
		{"an action of KMS that does not exist", KindManaged, []string{st("Allow", "kms:Decode", "*", "")}, []Rule{RuleAction}},
		{"an action in another case", KindManaged, []string{st("Allow", "Bedrock:invokemodel", "*", "")}, nil},
		{"an invented action in NotAction", KindSCP, []string{`"Effect":"Deny","NotAction":["bedrock:Converse"],"Resource":"*"`}, []Rule{RuleAction}},
		{"the API's name for the prefix", KindManaged, []string{st("Allow", "bedrock-runtime:InvokeModel", "*", "")}, []Rule{RuleAction}},
		{"the prefix alone", KindManaged, []string{st("Allow", "bedrock", "*", "")}, []Rule{RuleAction}},
		{"a wildcard that matches", KindManaged, []string{st("Allow", "bedrock:InvokeModel*", "*", "")}, nil},
		{"a wildcard that matches nothing", KindManaged, []string{st("Allow", "bedrock:Converse*", "*", "")}, []Rule{RuleWildcard}},

		{"GuardrailArn", KindSCP, []string{st("Deny", both, "*", onlyIf("StringNotEquals", "bedrock:GuardrailArn", lintedGuardrail+":1"))}, []Rule{RuleKey}},
		{"ModelId", KindManaged, []string{st("Allow", both, "*", onlyIf("StringEquals", "bedrock:ModelId", "amazon.nova-lite-v1:0"))}, []Rule{RuleKey}},
		{"a global key that does not exist", KindManaged, []string{st("Allow", both, "*", onlyIf("StringEquals", "aws:Region", "us-east-1"))}, []Rule{RuleKey}},
		{"the API's name for a key's prefix", KindManaged, []string{st("Allow", both, "*", onlyIf("StringEquals", "bedrock-runtime:GuardrailIdentifier", "x"))}, []Rule{RuleKey}},
		{"a principal tag", KindManaged, []string{st("Allow", both, "*", onlyIf("StringEquals", "aws:principaltag/team", "x"))}, nil},
		{"a principal tag without a name", KindManaged, []string{st("Allow", both, "*", onlyIf("StringEquals", "aws:PrincipalTag/", "x"))}, []Rule{RuleKey}},
		{"a key of an identity provider", KindTrust, []string{st("Allow", "sts:AssumeRoleWithWebIdentity", "", oidc+`,"Condition":{"StringEquals":{"id.example.com:aud":"sts","id.example.com:sub":"me"}}`)}, nil},
		{"an encryption context", KindManaged, []string{st("Allow", "kms:Decrypt", "*", onlyIf("StringEquals", "kms:EncryptionContext:aws:logs:arn", "x"))}, nil},

		{"ModelArn with the stream action", KindManaged, []string{st("Allow", both, "*", onlyIf("ArnEquals", "bedrock:ModelArn", lintedModel))}, []Rule{RuleKeyOfAction}},
		{"ModelArn with all actions", KindManaged, []string{st("Allow", "bedrock:*", "*", onlyIf("ArnEquals", "bedrock:ModelArn", lintedModel))}, nil},
		{"ModelArn with a wildcard of streams", KindManaged, []string{st("Allow", "bedrock:InvokeModelWith*", "*", onlyIf("ArnEquals", "bedrock:ModelArn", lintedModel))}, []Rule{RuleKeyOfAction}},
		{"ModelArn IfExists", KindManaged, []string{st("Allow", both, "*", onlyIf("ArnEqualsIfExists", "bedrock:ModelArn", lintedModel))}, nil},
		{"the guardrail key with a batch job", KindManaged, []string{st("Allow", "bedrock:CreateModelInvocationJob", "*", onlyIf("StringEquals", "bedrock:GuardrailIdentifier", lintedGuardrail+":1"))}, []Rule{RuleKeyOfAction}},
		{"the guardrail key with Mantle", KindManaged, []string{st("Deny", "bedrock-mantle:CreateInference", "*", onlyIf("StringNotEquals", "bedrock:GuardrailIdentifier", lintedGuardrail+":1"))}, []Rule{RuleKeyOfAction}},
		{"an external ID with a session's tags", KindTrust, []string{st("Allow", "sts:AssumeRole sts:TagSession", "", `"Principal":{"AWS":"111122223333"},`+onlyIf("StringEquals", "sts:ExternalId", "x"))}, []Rule{RuleKeyOfAction}},

		{"InvokeModel on a guardrail", KindManaged, []string{st("Allow", "bedrock:InvokeModel", lintedGuardrail, "")}, []Rule{RuleResourceType}},
		{"models and a guardrail for InvokeModel", KindManaged, []string{st("Allow", both, lintedModel+" "+lintedGuardrail, "")}, []Rule{RuleResourceType}},
		{"models and a guardrail for both actions", KindManaged, []string{st("Allow", both+" bedrock:ApplyGuardrail", lintedModel+" "+lintedGuardrail, "")}, nil},
		{"a guardrail and an action of ec2", KindManaged, []string{st("Allow", "bedrock:InvokeModel ec2:RunInstances", lintedModel+" "+lintedGuardrail, "")}, nil},
		{"ApplyGuardrail on a model", KindManaged, []string{st("Deny", "bedrock:ApplyGuardrail", lintedModel, "")}, []Rule{RuleResourceType}},
		{"RetrieveAndGenerate on a knowledge base", KindManaged, []string{st("Allow", "bedrock:Retrieve bedrock:RetrieveAndGenerate", "arn:aws:bedrock:us-east-1:111122223333:knowledge-base/KB", "")}, []Rule{RuleNoResourceType}},
		{"CallWithBearerToken on an ARN", KindSCP, []string{st("Deny", "bedrock:CallWithBearerToken", "arn:aws:bedrock:*:*:*", "")}, []Rule{RuleNoResourceType}},
		{"RetrieveAndGenerate on everything", KindManaged, []string{st("Allow", "bedrock:RetrieveAndGenerate", "*", "")}, nil},
		{"a resource with a variable", KindManaged, []string{st("Allow", "bedrock:Retrieve", "arn:aws:bedrock:us-east-1:111122223333:knowledge-base/${aws:PrincipalTag/kb}", "")}, nil},
		{"the model behind a global profile", KindManaged, []string{st("Allow", both, "arn:aws:bedrock:::foundation-model/amazon.nova-lite-v1:0", "")}, nil},
		{"an object of a bucket", KindBucket, []string{st("Allow", "s3:PutObject", "arn:aws:s3:::logs/AWSLogs/*", `"Principal":{"AWS":"111122223333"}`)}, nil},
		{"a bucket for an object", KindBucket, []string{st("Allow", "s3:PutObject", "arn:aws:s3:::logs", `"Principal":{"AWS":"111122223333"}`)}, []Rule{RuleResourceType}},

		{"a foundation model with an account", KindManaged, []string{st("Allow", both, "arn:aws:bedrock:us-east-1:111122223333:foundation-model/* "+lintedModel, "")}, []Rule{RuleResourceType, RuleARN}},
		{"a foundation model with any account", KindManaged, []string{st("Allow", both, "arn:aws:bedrock:*:*:foundation-model/*", "")}, nil},
		{"a profile without an account", KindManaged, []string{st("Allow", both, "arn:aws:bedrock:us-east-1::inference-profile/us.amazon.nova-lite-v1:0", "")}, []Rule{RuleResourceType, RuleResourceType, RuleARN}},
		{"a profile without a region", KindManaged, []string{`"Effect":"Allow","Action":"bedrock:*","NotResource":"arn:aws:bedrock::111122223333:inference-profile/*"`}, []Rule{RuleARN}},
		{"a profile without an account in a condition", KindManaged, []string{st("Allow", both, lintedModel, onlyIf("ArnLike", "bedrock:InferenceProfileArn", "arn:aws:bedrock:us-east-1::inference-profile/*"))}, []Rule{RuleARN}},
		{"a type that does not exist", KindManaged, []string{`"Effect":"Allow","Action":"bedrock:*","NotResource":"arn:aws:bedrock:us-east-1:111122223333:model/x"`}, []Rule{RuleARN}},
		{"a wildcard that stands for itself", KindManaged, []string{st("Allow", both, lintedModel, onlyIf("StringEquals", "bedrock:InferenceProfileArn", "arn:aws:bedrock:us-east-1:111122223333:inference-profile/*"))}, []Rule{RuleLiteralWildcard}},
		{"a wildcard that is one", KindManaged, []string{st("Allow", both, lintedModel, onlyIf("ArnLike", "bedrock:InferenceProfileArn", "arn:aws:bedrock:us-east-1:111122223333:inference-profile/*"))}, nil},

		{"any guardrail", KindSCP, []string{st("Deny", both, "*", onlyIf("Null", "bedrock:GuardrailIdentifier", "true"))}, []Rule{RuleGuardrailNull}},
		{"any guardrail allows", KindManaged, []string{st("Allow", both, "*", onlyIf("Null", "bedrock:GuardrailIdentifier", "false"))}, []Rule{RuleGuardrailNull}},
		{"another guardrail, where there is one", KindSCP, []string{st("Deny", both, "*", `"Condition":{"Null":{"bedrock:GuardrailIdentifier":"false"},"StringNotEquals":{"bedrock:GuardrailIdentifier":"`+lintedGuardrail+`:1"}}`)}, nil},
		{"the draft is allowed", KindManaged, []string{st("Allow", both, "*", onlyIf("StringEquals", "bedrock:GuardrailIdentifier", lintedGuardrail))}, []Rule{RuleGuardrailDraft}},
		{"the draft is spared", KindSCP, []string{st("Deny", both, "*", onlyIf("StringNotEquals", "bedrock:GuardrailIdentifier", lintedGuardrail))}, []Rule{RuleGuardrailDraft}},
		{"the draft is denied", KindSCP, []string{st("Deny", both, "*", onlyIf("StringEquals", "bedrock:GuardrailIdentifier", lintedGuardrail))}, nil},
		{"all but the draft is allowed", KindManaged, []string{st("Allow", both, "*", onlyIf("StringNotEquals", "bedrock:GuardrailIdentifier", lintedGuardrail))}, nil},
		{"the word DRAFT", KindManaged, []string{st("Allow", both, "*", onlyIf("StringEquals", "bedrock:GuardrailIdentifier", lintedGuardrail+":DRAFT"))}, []Rule{RuleGuardrailDraft}},
		{"any published version", KindManaged, []string{st("Allow", both, "*", onlyIf("ArnLike", "bedrock:GuardrailIdentifier", lintedGuardrail+":*"))}, nil},
		{"any version", KindManaged, []string{st("Allow", both, "*", onlyIf("ArnLike", "bedrock:GuardrailIdentifier", lintedGuardrail+"*"))}, []Rule{RuleGuardrailDraft}},
		{"any ARN", KindManaged, []string{st("Allow", both, "*", onlyIf("StringLike", "bedrock:GuardrailIdentifier", "arn:aws:bedrock:*"))}, []Rule{RuleGuardrailDraft}},

		{"InvokeModel alone is denied", KindSCP, []string{st("Deny", "bedrock:InvokeModel", "*", onlyIf("StringNotEquals", "bedrock:GuardrailIdentifier", lintedGuardrail+":1"))}, []Rule{RuleStreamOpen}},
		{"InvokeModel and the stream are denied apart", KindSCP, []string{
			st("Deny", "bedrock:InvokeModel", "*", onlyIf("StringNotEquals", "bedrock:GuardrailIdentifier", lintedGuardrail+":1")),
			st("Deny", "bedrock:InvokeModelWithResponseStream", "*", onlyIf("StringNotEquals", "bedrock:GuardrailIdentifier", lintedGuardrail+":1"))}, nil},
		{"the stream is denied under a second condition", KindSCP, []string{
			st("Deny", "bedrock:InvokeModel", "*", onlyIf("StringNotEquals", "aws:RequestedRegion", "us-east-1")),
			st("Deny", "bedrock:InvokeModelWithResponseStream", "*", `"Condition":{"StringNotEquals":{"aws:RequestedRegion":"us-east-1"},"Bool":{"aws:SecureTransport":"false"}}`)}, []Rule{RuleStreamOpen}},
		{"the stream is denied where more regions are spared", KindSCP, []string{
			st("Deny", "bedrock:InvokeModel", "*", onlyIf("StringNotEquals", "aws:RequestedRegion", "us-east-1")),
			st("Deny", "bedrock:InvokeModelWithResponseStream", "*", onlyIf("StringNotEquals", "aws:RequestedRegion", "us-east-1 us-west-2"))}, []Rule{RuleStreamOpen}},
		{"the stream is denied in more regions", KindSCP, []string{
			st("Deny", "bedrock:InvokeModel", "*", onlyIf("StringEquals", "aws:RequestedRegion", "us-east-1")),
			st("Deny", "bedrock:InvokeModelWithResponseStream", "*", onlyIf("StringEquals", "aws:RequestedRegion", "us-east-1 us-west-2"))}, nil},
		{"the stream is denied on another model", KindSCP, []string{
			st("Deny", "bedrock:InvokeModel", lintedModel, ""),
			st("Deny", "bedrock:InvokeModelWithResponseStream", lintedProfile, "")}, []Rule{RuleStreamOpen}},
		{"the stream is allowed", KindManaged, []string{
			st("Deny", "bedrock:InvokeModel", lintedModel, ""),
			st("Allow", "bedrock:InvokeModelWithResponseStream", lintedModel, "")}, []Rule{RuleStreamOpen}},
		{"the stream is denied apart from another model", KindSCP, []string{
			`"Effect":"Deny","Action":"bedrock:InvokeModel","NotResource":"` + lintedModel + `"`,
			`"Effect":"Deny","Action":"bedrock:InvokeModelWithResponseStream","NotResource":"` + lintedProfile + `"`}, []Rule{RuleStreamOpen}},
		{"the stream is denied to one principal", KindEndpoint, []string{
			st("Deny", "bedrock:InvokeModel", "*", `"Principal":"*"`),
			st("Deny", "bedrock:InvokeModelWithResponseStream", "*", `"Principal":{"AWS":"arn:aws:iam::111122223333:role/app"}`)}, []Rule{RuleStreamOpen}},
		{"all but the stream is denied", KindSCP, []string{`"Effect":"Deny","NotAction":"bedrock:InvokeModelWithResponseStream","Resource":"*"`}, []Rule{RuleStreamOpen}},
		{"InvokeModel is denied on what no stream has", KindSCP, []string{st("Deny", "bedrock:InvokeModel", "arn:aws:bedrock:*:*:async-invoke/*", "")}, nil},
		{"InvokeModel is denied by a key that no stream has", KindSCP, []string{st("Deny", "bedrock:InvokeModel", "*", onlyIf("ArnEquals", "bedrock:ModelArn", lintedModel))}, nil},

		{"the regions of bedrock alone", KindSCP, []string{st("Deny", "bedrock:*", "*", onlyIf("StringNotEquals", "aws:RequestedRegion", "us-east-1"))}, []Rule{RuleMantleOpen}},
		{"the regions of bedrock and Mantle", KindSCP, []string{st("Deny", "bedrock:* bedrock-mantle:*", "*", onlyIf("StringNotEquals", "aws:RequestedRegion", "us-east-1"))}, nil},
		{"the regions of everything", KindSCP, []string{st("Deny", "*", "*", onlyIf("StringNotEquals", "aws:RequestedRegion", "us-east-1"))}, nil},

		{"an endpoint without ApplyGuardrail", KindEndpoint, []string{st("Allow", both, "*", `"Principal":"*"`)}, []Rule{RuleEndpoint}},
		{"an endpoint with ApplyGuardrail", KindEndpoint, []string{st("Allow", both, "*", `"Principal":"*"`), st("Allow", "bedrock:ApplyGuardrail", "*", `"Principal":"*"`)}, nil},
		{"an endpoint that lets no inference through", KindEndpoint, []string{st("Allow", "sts:AssumeRole", "*", `"Principal":"*"`)}, nil},

		{"Allow with NotAction", KindManaged, []string{`"Effect":"Allow","NotAction":"iam:*","Resource":"*"`}, []Rule{RuleAllowNotAction}},
		{"Deny with NotAction", KindSCP, []string{`"Effect":"Deny","NotAction":["bedrock:*","bedrock-mantle:*"],"Resource":"*"`}, nil},
		{"a service for every account", KindTrust, []string{st("Allow", "sts:AssumeRole", "", service)}, []Rule{RuleServicePrincipal}},
		{"a service for one account", KindTrust, []string{st("Allow", "sts:AssumeRole", "", service+","+onlyIf("StringEquals", "aws:SourceAccount", "111122223333"))}, nil},
		{"a service for one ARN", KindTrust, []string{st("Allow", "sts:AssumeRole", "", service+","+onlyIf("ArnLike", "aws:SourceArn", "arn:aws:bedrock:us-east-1:111122223333:*"))}, nil},
		{"a service for one account, if it says so", KindTrust, []string{st("Allow", "sts:AssumeRole", "", service+","+onlyIf("StringEqualsIfExists", "aws:SourceAccount", "111122223333"))}, []Rule{RuleServicePrincipal}},
		{"a service for all accounts but one", KindTrust, []string{st("Allow", "sts:AssumeRole", "", service+","+onlyIf("StringNotEquals", "aws:SourceAccount", "111122223333"))}, []Rule{RuleServicePrincipal}},
		{"a service for one account, among those that it names", KindTrust, []string{st("Allow", "sts:AssumeRole", "", service+","+onlyIf("ForAllValues:StringEquals", "aws:SourceAccount", "111122223333"))}, []Rule{RuleServicePrincipal}},
		{"a service for any account that it names", KindTrust, []string{st("Allow", "sts:AssumeRole", "", service+","+onlyIf("Null", "aws:SourceAccount", "false"))}, []Rule{RuleServicePrincipal}},
		{"a service for one log group", KindKey, []string{st("Allow", "kms:Decrypt", "*", `"Principal":{"Service":"logs.us-east-1.amazonaws.com"},`+onlyIf("ArnEquals", "kms:EncryptionContext:aws:logs:arn", "arn:aws:logs:us-east-1:111122223333:log-group:x"))}, nil},
		{"a service is denied", KindKey, []string{st("Deny", "kms:Decrypt", "*", service)}, nil},
		{"EC2", KindTrust, []string{st("Allow", "sts:AssumeRole", "", `"Principal":{"Service":"ec2.amazonaws.com"}`)}, nil},
		{"EC2 and Bedrock", KindTrust, []string{st("Allow", "sts:AssumeRole", "", `"Principal":{"Service":["ec2.amazonaws.com","bedrock.amazonaws.com"]}`)}, []Rule{RuleServicePrincipal}},
		{"a role for everyone", KindTrust, []string{st("Allow", "sts:AssumeRole", "", `"Principal":"*"`)}, []Rule{RuleTrustAnyone}},
		{"a role for every AWS principal", KindTrust, []string{st("Allow", "sts:AssumeRole", "", `"Principal":{"AWS":"*"}`)}, []Rule{RuleTrustAnyone}},
		{"a bucket for everyone", KindBucket, []string{st("Allow", "s3:GetObject", "arn:aws:s3:::b/*", `"Principal":"*"`)}, nil},
		{"OIDC without a subject", KindTrust, []string{st("Allow", "sts:AssumeRoleWithWebIdentity", "", oidc+","+onlyIf("StringEquals", "id.example.com:aud", "sts"))}, []Rule{RuleWebIdentity}},
		{"OIDC without an audience", KindTrust, []string{st("Allow", "sts:AssumeRoleWithWebIdentity", "", oidc+","+onlyIf("StringEquals", "id.example.com:sub", "me"))}, []Rule{RuleWebIdentity}},

		{"Cognito, which has no subject to compare", KindTrust, []string{st("Allow", "sts:AssumeRoleWithWebIdentity", "", `"Principal":{"Federated":"cognito-identity.amazonaws.com"},`+onlyIf("StringEquals", "cognito-identity.amazonaws.com:aud", "eu-central-1:x"))}, nil},
		{"a Sid with a space", KindManaged, []string{`"Sid":"Allow all",` + allowAll}, []Rule{RuleSid}},
		{"a Sid with a space in a key policy", KindKey, []string{`"Sid":"Allow all","Principal":{"AWS":"111122223333"},` + allowAll}, nil},
		{"a Sid twice", KindManaged, []string{`"Sid":"A",` + allowAll, `"Sid":"A",` + allowAll}, []Rule{RuleSid}},
		{"no Sid twice", KindManaged, []string{allowAll, allowAll}, nil},
	} {
		d, err := Parse([]byte(`{"Version":"2012-10-17","Statement":[{`+strings.Join(row.statements, "},{")+`}]}`), row.kind)
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
			continue
		}
		var got []Rule
		for _, f := range Lint(d) {
			got = append(got, f.Rule)
			if f.Detail == "" || f.Remedy == "" || strings.Contains(f.String(), "%!") {
				t.Errorf("%s: %+v", row.name, f)
			}
			fmt.Fprintf(&report, "%s:\n\t%s\n", row.name, f)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("%s: got %v, want %v\n%v", row.name, got, row.want, Lint(d))
		}
	}
	goldenText(t, filepath.Join("testdata", "lint", "findings.golden"), report.String())
}

// goldenText compares a text with a file. -update writes the file.
func goldenText(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs; go test -run %s -update writes it. Got:\n%s", file, t.Name(), got)
	}
}

func TestLintOfAnOrganizationPolicy(t *testing.T) {
	d := Document{Kind: KindBedrock, Declarative: &GuardrailInference{Guardrails: []EnforcedGuardrail{
		{Region: "us-east-1", ARN: lintedGuardrail, Version: "1"}}}}
	if got := Lint(d); len(got) > 0 {
		t.Errorf("got %v", got)
	}
	d.Declarative.Guardrails[0].Version = "DRAFT"
	d.Declarative.Guardrails = append(d.Declarative.Guardrails, EnforcedGuardrail{Region: "eu-central-1", ARN: lintedGuardrail, Version: "1"})
	if got := Lint(d); len(got) != 2 || got[0].Rule != RuleEnforced || got[1].Rule != RuleEnforced {
		t.Errorf("got %v, want a draft and a guardrail of another region", got)
	}
}

// A document that Parse has not seen can hold anything.
func TestLintTakesAnything(t *testing.T) {
	random := rand.New(rand.NewPCG(13, 5))
	for range 2000 {
		d := randomDocument(random)
		before := d.Clone()
		Lint(d)
		if !reflect.DeepEqual(d, before) {
			t.Fatal("Lint changed the document")
		}
	}
	Lint(Document{Statements: []Statement{{}, {Condition: Condition{"": nil, "Bool": {"": nil}}, Principal: &Principal{}}}})
}

func BenchmarkLint(b *testing.B) {
	c := configurations()[1]
	docs, err := All(specOf(b, c.opts, c.acct))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for _, d := range docs {
			Lint(d)
		}
	}
}
