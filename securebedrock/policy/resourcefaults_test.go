package policy

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

const (
	resAccount = "111122223333"
	resOther   = "444455556666"
	resKey     = "arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
	resRole    = "arn:aws:iam::111122223333:role/app"
)

func roleOf(name string) string { return "arn:aws:iam::" + resAccount + ":role/" + name }

func keyOf(id string) string { return "arn:aws:kms:eu-central-1:" + resAccount + ":key/" + id }

// everything is a value for every field, without a fault.
func everything() Resources {
	return Resources{
		Trusted:       []string{roleOf("workload"), "arn:aws:iam::" + resOther + ":role/partner"},
		InheritedTags: []string{"team"},
		Callers:       []string{roleOf("batch-caller")},
		Pods: []PodIdentity{{
			Cluster: "arn:aws:eks:eu-central-1:111122223333:cluster/main", Namespace: "claims", ServiceAccount: "api",
		}},
		OIDC: []OIDC{
			{
				Provider: "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
				Audience: "sts.amazonaws.com",
				Subjects: []string{"repo:example/app:ref:refs/heads/main"},
			},
			{
				Provider:        "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF",
				Audience:        "sts.amazonaws.com",
				SubjectPatterns: []string{"system:serviceaccount:claims:*"},
			},
			{
				Provider: "arn:aws:iam::111122223333:oidc-provider/cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abcdefghi",
				Audience: "3example4client5id",
				Subjects: []string{"b1e2c3d4-1234-5678-9abc-def012345678"},
			},
		},
		KnowledgeBases: []KnowledgeBase{
			{ID: "KB12345678", Role: roleOf("service-role/kb"), Bucket: "claims-documents", BucketKey: keyOf("documents"), Key: keyOf("ingestion")},
			{Role: roleOf("service-role/kb-next"), Bucket: "partner-documents", BucketAccount: resOther},
		},
		Agents: []Agent{
			{ID: "AGENT12345", Aliases: []string{"ALIAS12345", "ALIAS67890"}, Role: roleOf("service-role/agent"), Key: keyOf("agent"), Editors: []string{roleOf("agent-editor")}},
		},
		RetrieveAndGenerate: "the portal answers from documents",
		BatchRole:           roleOf("service-role/batch"),
		AdminTag:            Tag{Key: "guardrail-admin", Value: "true"},
		KeyAdministrators:   []string{roleOf("key-admin")},
		GuardrailKey:        Key{ARN: keyOf("guardrail"), Creators: []string{roleOf("guardrail-admin")}},
		ModelKey:            Key{ARN: keyOf("model"), Creators: []string{roleOf("tuner")}},
		Logs: Logs{
			Bucket: "bedrock-logs", Prefix: "prod/eu", BucketKey: keyOf("log-bucket"),
			Group: "/bedrock/invocations", GroupKey: keyOf("log-group"), Role: roleOf("bedrock-logging"),
			Readers: []string{roleOf("auditor")},
		},
		Trail: Trail{
			Name: "main", Region: "eu-west-1", Bucket: "trail-files", Prefix: "org", Key: "arn:aws:kms:eu-west-1:" + resAccount + ":key/trail",
			Group: "trail", GroupKey: "arn:aws:kms:eu-west-1:" + resAccount + ":key/trail-group", Role: roleOf("trail"),
			Readers: []string{roleOf("auditor")},
		},
		Endpoints: []string{"vpce-0123456789abcdef0"},
	}
}

func resOptions() securebedrock.Options {
	return securebedrock.Options{
		Region:    "eu-central-1",
		Guardrail: securebedrock.Guardrail{ID: "gr1234567890", Version: "7"},
		Models:    []string{"anthropic.claude-sonnet-4-5-20250929-v1:0"},
		Role: &securebedrock.Role{
			ARN: resRole, ExternalID: "claims:prod", SourceIdentity: "claims-api",
			Tags: map[string]string{"project": "claims", "cost": "42"}, TransitiveTagKeys: []string{"cost"},
		},
	}
}

func TestEverythingIsWithoutFault(t *testing.T) {
	r := everything()
	for v, i := reflect.ValueOf(r), 0; i < v.NumField(); i++ {
		if v.Field(i).IsZero() {
			t.Errorf("%s is empty", v.Type().Field(i).Name)
		}
	}
	if _, err := For(resOptions(), Account{ID: resAccount, Resources: r}); err != nil {
		t.Error(err)
	}
	if _, err := For(resOptions(), Account{ID: resAccount}); err != nil {
		t.Errorf("no resources: %v", err)
	}
}

func TestResourceFaultsNameTheirField(t *testing.T) {
	for _, row := range []struct {
		says   string // what the error holds
		change func(r *Resources, o *securebedrock.Options)
	}{
		{`Trusted[0]: (no identifier) names more than one principal`, func(r *Resources, _ *securebedrock.Options) { r.Trusted = []string{"*"} }},
		{`Trusted[0]: (no identifier) names more`, func(r *Resources, _ *securebedrock.Options) { r.Trusted = []string{roleOf("*")} }},
		{`Trusted[0]: "arn:aws:iam::111122223333:root" is not the ARN of one role or user`, func(r *Resources, _ *securebedrock.Options) {
			r.Trusted = []string{"arn:aws:iam::111122223333:root"}
		}},
		{`Trusted[0]: "arn:aws:sts::111122223333:assumed-role/app/session" is not the ARN of one role`, func(r *Resources, _ *securebedrock.Options) {
			r.Trusted = []string{"arn:aws:sts::111122223333:assumed-role/app/session"}
		}},
		{`Trusted[0]: "111122223333" is not an ARN`, func(r *Resources, _ *securebedrock.Options) { r.Trusted = []string{resAccount} }},
		{`Trusted[0]: the ARN is of partition "aws-us-gov"`, func(r *Resources, _ *securebedrock.Options) {
			r.Trusted = []string{"arn:aws-us-gov:iam::111122223333:role/app"}
		}},
		{`Trusted: the field is set and Options.Role is not`, func(_ *Resources, o *securebedrock.Options) { o.Role = nil }},
		{`InheritedTags[0]: "aws:team" is not the key of a tag`, func(r *Resources, _ *securebedrock.Options) { r.InheritedTags = []string{"aws:team"} }},
		{`InheritedTags: the field is set and Trusted is not`, func(r *Resources, _ *securebedrock.Options) { r.Trusted = nil }},
		{`Callers[0]: the ARN is of account "444455556666" and account 111122223333 is meant`, func(r *Resources, _ *securebedrock.Options) {
			r.Callers = []string{"arn:aws:iam::444455556666:role/app"}
		}},
		{`Pods[0].Cluster: "main" is not an ARN`, func(r *Resources, _ *securebedrock.Options) { r.Pods[0].Cluster = "main" }},
		{`Pods[0].Cluster: "arn:aws:eks:eu-central-1:111122223333:nodegroup/main" is not the ARN of an EKS cluster`, func(r *Resources, _ *securebedrock.Options) {
			r.Pods[0].Cluster = "arn:aws:eks:eu-central-1:111122223333:nodegroup/main"
		}},
		{`Pods[0].Namespace: "" is not a name of Kubernetes`, func(r *Resources, _ *securebedrock.Options) { r.Pods[0].Namespace = "" }},
		{`Pods[0].ServiceAccount: (no identifier) is not a name of Kubernetes`, func(r *Resources, _ *securebedrock.Options) { r.Pods[0].ServiceAccount = "*" }},
		{`OIDC[0].Provider: "token.actions.githubusercontent.com" is not an ARN`, func(r *Resources, _ *securebedrock.Options) {
			r.OIDC[0].Provider = "token.actions.githubusercontent.com"
		}},
		{`OIDC[0].Provider: "arn:aws:iam::111122223333:saml-provider/idp.example" is not the ARN of an OIDC provider`, func(r *Resources, _ *securebedrock.Options) {
			r.OIDC[0].Provider = "arn:aws:iam::111122223333:saml-provider/idp.example"
		}},
		{`OIDC[0].Audience: "" is no audience`, func(r *Resources, _ *securebedrock.Options) { r.OIDC[0].Audience = "" }},
		{`OIDC[0].Audience: (no identifier) is no audience`, func(r *Resources, _ *securebedrock.Options) { r.OIDC[0].Audience = "*" }},
		{`OIDC[0].Subjects: there is no subject`, func(r *Resources, _ *securebedrock.Options) { r.OIDC[0].Subjects = nil }},
		{`OIDC[0].Subjects[0]: (no identifier) is no subject`, func(r *Resources, _ *securebedrock.Options) { r.OIDC[0].Subjects[0] = "repo:example/*" }},
		{`OIDC[0].Subjects[0]: "" is no subject`, func(r *Resources, _ *securebedrock.Options) { r.OIDC[0].Subjects[0] = "" }},
		{`OIDC[1].SubjectPatterns[0]: (no identifier) is no bounded pattern`, func(r *Resources, _ *securebedrock.Options) { r.OIDC[1].SubjectPatterns[0] = "*" }},
		{`OIDC[1].SubjectPatterns[0]: (no identifier) is no bounded pattern`, func(r *Resources, _ *securebedrock.Options) { r.OIDC[1].SubjectPatterns[0] = "repo:*" }},
		{`OIDC[1].SubjectPatterns[0]: (no identifier) is no bounded pattern`, func(r *Resources, _ *securebedrock.Options) { r.OIDC[1].SubjectPatterns[0] = "repo:exam*" }},
		{`OIDC[1].SubjectPatterns[0]: (no identifier) is no bounded pattern`, func(r *Resources, _ *securebedrock.Options) { r.OIDC[1].SubjectPatterns[0] = "repo:*/app:*" }},
		{`OIDC[1].SubjectPatterns[0]: (no identifier) is no bounded pattern`, func(r *Resources, _ *securebedrock.Options) {
			r.OIDC[1].SubjectPatterns[0] = "system:serviceaccount:*"
		}},
		{`KnowledgeBases[0].ID: "KB1" is not the ID of a knowledge base`, func(r *Resources, _ *securebedrock.Options) { r.KnowledgeBases[0].ID = "KB1" }},
		{`KnowledgeBases[0].ID: neither ID nor Role is set`, func(r *Resources, _ *securebedrock.Options) { r.KnowledgeBases[0] = KnowledgeBase{} }},
		{`KnowledgeBases[0].Bucket: the field is set and KnowledgeBases[0].Role is not`, func(r *Resources, _ *securebedrock.Options) { r.KnowledgeBases[0].Role = "" }},
		{`KnowledgeBases[0].Key: the field is set and KnowledgeBases[0].Role is not`, func(r *Resources, _ *securebedrock.Options) { r.KnowledgeBases[0].Role = "" }},
		{`KnowledgeBases[0].Bucket: "Claims_Documents" is not the name of a bucket`, func(r *Resources, _ *securebedrock.Options) { r.KnowledgeBases[0].Bucket = "Claims_Documents" }},
		{`KnowledgeBases[1].BucketAccount: "4444" is not an account`, func(r *Resources, _ *securebedrock.Options) { r.KnowledgeBases[1].BucketAccount = "4444" }},
		{`KnowledgeBases[1].BucketAccount: the field is set and KnowledgeBases[1].Bucket is not`, func(r *Resources, _ *securebedrock.Options) { r.KnowledgeBases[1].Bucket = "" }},
		{`KnowledgeBases[0].BucketKey: the field is set and KnowledgeBases[0].Bucket is not`, func(r *Resources, _ *securebedrock.Options) { r.KnowledgeBases[0].Bucket = "" }},
		{`KnowledgeBases[1].BucketKey: the ARN is of account "111122223333" and account 444455556666 is meant`, func(r *Resources, _ *securebedrock.Options) {
			r.KnowledgeBases[1].BucketKey = resKey
		}},
		{`KnowledgeBases[0].Key: "arn:aws:kms:eu-central-1:111122223333:alias/x" is not the ARN of a KMS key`, func(r *Resources, _ *securebedrock.Options) {
			r.KnowledgeBases[0].Key = "arn:aws:kms:eu-central-1:111122223333:alias/x"
		}},
		{`KnowledgeBases[0].Key: the key is in "eu-west-1" and must be in eu-central-1`, func(r *Resources, _ *securebedrock.Options) {
			r.KnowledgeBases[0].Key = "arn:aws:kms:eu-west-1:111122223333:key/x"
		}},
		{`KnowledgeBases[1].Role: KnowledgeBases[0].Role has the same role`, func(r *Resources, _ *securebedrock.Options) { r.KnowledgeBases[1].Role = r.KnowledgeBases[0].Role }},
		{`BatchRole: Options.Role has the same role`, func(r *Resources, _ *securebedrock.Options) { r.BatchRole = resRole }},
		{`BatchRole: "arn:aws:iam::111122223333:user/batch" is not the ARN of a role`, func(r *Resources, _ *securebedrock.Options) {
			r.BatchRole = "arn:aws:iam::111122223333:user/batch"
		}},
		{`RetrieveAndGenerate: a reason and a knowledge base are needed`, func(r *Resources, _ *securebedrock.Options) { r.KnowledgeBases = nil }},
		{`RetrieveAndGenerate: a reason and a knowledge base are needed`, func(r *Resources, _ *securebedrock.Options) { r.RetrieveAndGenerate = " " }},
		{`Agents[0].ID: "" is not the ID of an agent`, func(r *Resources, _ *securebedrock.Options) { r.Agents[0].ID = "" }},
		{`Agents[0].Aliases[0]: TSTALIASID is the agent's working draft`, func(r *Resources, _ *securebedrock.Options) { r.Agents[0].Aliases[0] = "TSTALIASID" }},
		{`Agents[0].Aliases[1]: (no identifier) is not the ID of an agent's alias`, func(r *Resources, _ *securebedrock.Options) { r.Agents[0].Aliases[1] = "*" }},
		{`Agents[0].Aliases: neither Aliases nor Role is set`, func(r *Resources, _ *securebedrock.Options) { r.Agents[0].Aliases, r.Agents[0].Role = nil, "" }},
		{`AdminTag.Key: the field is set and AdminTag.Value is not`, func(r *Resources, _ *securebedrock.Options) { r.AdminTag.Value = "" }},
		{`AdminTag.Value: the field is set and AdminTag.Key is not`, func(r *Resources, _ *securebedrock.Options) { r.AdminTag.Key = "" }},
		{`AdminTag.Value: (no identifier) is not the value of a tag`, func(r *Resources, _ *securebedrock.Options) { r.AdminTag.Value = "*" }},
		{`AdminTag.Key: Options.Role.Tags have the same key`, func(r *Resources, _ *securebedrock.Options) { r.AdminTag.Key = "Project" }},
		{`AdminTag.Key: InheritedTags have the same key`, func(r *Resources, _ *securebedrock.Options) { r.AdminTag.Key = "Team" }},
		{`KeyAdministrators[0]: "arn:aws:iam::111122223333:role/app" also uses a key`, func(r *Resources, _ *securebedrock.Options) { r.KeyAdministrators[0] = resRole }},
		{`KeyAdministrators[0]: "arn:aws:iam::111122223333:role/tuner" also uses a key`, func(r *Resources, _ *securebedrock.Options) { r.KeyAdministrators[0] = roleOf("tuner") }},
		{`KeyAdministrators[0]: "arn:aws:iam::111122223333:role/auditor" also uses a key`, func(r *Resources, _ *securebedrock.Options) { r.KeyAdministrators[0] = roleOf("auditor") }},
		{`KeyAdministrators[0]: "arn:aws:iam::111122223333:role/service-role/kb" also uses a key`, func(r *Resources, _ *securebedrock.Options) {
			r.KeyAdministrators[0] = roleOf("service-role/kb")
		}},
		{`GuardrailKey.Creators: the field is set and GuardrailKey.ARN is not`, func(r *Resources, _ *securebedrock.Options) { r.GuardrailKey.ARN = "" }},
		{`GuardrailKey.ARN: nobody may call under the key`, func(r *Resources, o *securebedrock.Options) {
			o.Role, r.Callers, r.Trusted, r.InheritedTags = nil, nil, nil, nil
		}},
		{`Agents[0].Editors[0]: "x" is not an ARN`, func(r *Resources, _ *securebedrock.Options) { r.Agents[0].Editors[0] = "x" }},
		{`Agents[0].Editors: the field is set and Agents[0].Key is not`, func(r *Resources, _ *securebedrock.Options) { r.Agents[0].Key = "" }},
		{`KeyAdministrators[0]: "arn:aws:iam::111122223333:role/agent-editor" also uses a key`, func(r *Resources, _ *securebedrock.Options) {
			r.KeyAdministrators[0] = roleOf("agent-editor")
		}},
		{`KeyAdministrators[0]: "arn:aws:iam::111122223333:role/service-role/agent" also uses a key`, func(r *Resources, _ *securebedrock.Options) {
			r.KeyAdministrators[0] = roleOf("service-role/agent")
		}},
		{`Logs.Prefix: "/prod" is not a key prefix`, func(r *Resources, _ *securebedrock.Options) { r.Logs.Prefix = "/prod" }},
		{`Logs.Prefix: the field is set and Logs.Bucket is not`, func(r *Resources, _ *securebedrock.Options) { r.Logs.Bucket = "" }},
		{`Logs.Readers: the field is set and Logs.Bucket is not`, func(r *Resources, _ *securebedrock.Options) { r.Logs.Bucket = "" }},
		{`Logs.BucketKey: the field is set and Logs.Bucket is not`, func(r *Resources, _ *securebedrock.Options) { r.Logs.Bucket = "" }},
		{`Logs.Group: (no identifier) is not the name of a log group`, func(r *Resources, _ *securebedrock.Options) { r.Logs.Group = "a*" }},
		{`Logs.Group: the field is set and Logs.Role is not`, func(r *Resources, _ *securebedrock.Options) { r.Logs.Role = "" }},
		{`Logs.Role: the field is set and Logs.Group is not`, func(r *Resources, _ *securebedrock.Options) { r.Logs.Group = "" }},
		{`Logs.GroupKey: the field is set and Logs.Group is not`, func(r *Resources, _ *securebedrock.Options) { r.Logs.Group = "" }},
		{`Trail.Name: "a" is not the name of a trail`, func(r *Resources, _ *securebedrock.Options) { r.Trail.Name = "a" }},
		{`Trail.Name: the field is set and Trail.Bucket is not`, func(r *Resources, _ *securebedrock.Options) { r.Trail.Bucket = "" }},
		{`Trail.Bucket: the field is set and Trail.Name is not`, func(r *Resources, _ *securebedrock.Options) { r.Trail.Name = "" }},
		{`Trail.Region: "us-gov-west-1" is no region of partition aws`, func(r *Resources, _ *securebedrock.Options) { r.Trail.Region = "us-gov-west-1" }},
		{`Trail.Group: the field is set and Trail.Role is not`, func(r *Resources, _ *securebedrock.Options) { r.Trail.Role = "" }},
		{`Trail.GroupKey: the key is in "eu-west-1" and must be in eu-central-1`, func(r *Resources, _ *securebedrock.Options) { r.Trail.Region = "" }},
		{`Endpoints[0]: "vpce-xyz" is not the ID of a VPC endpoint`, func(r *Resources, _ *securebedrock.Options) { r.Endpoints[0] = "vpce-xyz" }},
	} {
		r, o := everything(), resOptions()
		row.change(&r, &o)
		_, err := For(o, Account{ID: resAccount, Resources: r})
		if err == nil || !strings.Contains(err.Error(), "Account.Resources."+row.says) {
			t.Errorf("want %q, got %v", row.says, err)
		}
		if !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("%q does not wrap ErrConfig", row.says)
		}
	}
}

// TestForCopiesResources writes into the caller's lists after For.
func TestForCopiesResources(t *testing.T) {
	r := everything()
	s, err := For(resOptions(), Account{ID: resAccount, Resources: r})
	if err != nil {
		t.Fatal(err)
	}
	scribble(reflect.ValueOf(&r).Elem())
	if !reflect.DeepEqual(s.acct.Resources, everything()) {
		t.Errorf("the Spec changed to %+v", s.acct.Resources)
	}
}

// scribble overwrites every string that can be reached without replacing a list.
func scribble(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString("changed")
	case reflect.Slice:
		for i := range v.Len() {
			scribble(v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			scribble(v.Field(i))
		}
	}
}
