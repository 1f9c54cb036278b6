package policy

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// sampleSpec is made by hand, with every relaxation.
func sampleSpec() *Spec {
	return &Spec{
		region: "eu-central-1", partition: "aws", account: "123456789012", anywhere: true,
		opts: securebedrock.Options{
			Unguarded:           "a <b>test</b> & more",
			Guardrail:           securebedrock.Guardrail{AllowPartial: true},
			UnguardedOperations: map[string]string{"StartAsyncInvoke": "video takes no guardrail", "InvokeModelWithBidirectionalStream": "voice takes none"},
		},
		acct: Account{
			ID:               "123456789012",
			Unguardable:      map[string]string{"amazon.titan-embed-text-v2:0": "embeddings"},
			ExceptPrincipals: map[string]string{"arn:aws:iam::123456789012:role/kb": "a knowledge base"},
			Administrators:   map[string]string{"arn:aws:iam::123456789012:role/platform": "the platform team"},
			DataRetention:    map[string]string{"default": "a model needs review"},
			Resources:        Resources{RetrieveAndGenerate: "a chat over the manuals"},
		},
	}
}

// samples has a document of each kind, made by hand.
func samples() []Document {
	const guardrail = "arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc123"
	allow := func(action string, resource ...string) []Statement {
		return []Statement{{Sid: "Sample", Effect: Allow, Action: []string{action}, Resource: resource,
			Condition: when("StringEquals", "aws:PrincipalTag/team", "${aws:PrincipalTag/team}", "%{if}", "a<b&c\"d\\e")}}
	}
	by := func(p Principal, statements []Statement) []Statement {
		statements[0].Principal = &p
		return statements
	}
	service := Principal{Service: []string{"bedrock.amazonaws.com"}}
	docs := []Document{
		{Name: "invoke", Kind: KindManaged, Mirrors: "ErrModel", Statements: allow("bedrock:InvokeModel", "arn:aws:bedrock:*::foundation-model/amazon.nova-lite-v1:0")},
		{Name: "boundary", Kind: KindBoundary, Statements: allow("bedrock:InvokeModel", "*")},
		{Name: "inline", Kind: KindInline, Statements: allow("bedrock:InvokeModel", "*")},
		{Name: "session", Kind: KindSession, Mirrors: "ErrGuardrailRequired", Statements: allow("bedrock:InvokeModel", "*")},
		{Name: "trust", Kind: KindTrust, Statements: by(service, allow("sts:AssumeRole"))},
		{Name: "scp-regions", Kind: KindSCP, Mirrors: "ErrResidency", Statements: []Statement{{Sid: "Regions", Effect: Deny, Action: []string{"bedrock:*"}, Resource: []string{"*"}}}},
		{Name: "rcp", Kind: KindRCP, Statements: by(Principal{Any: true}, allow("s3:*", "*"))},
		{Name: "endpoint-bedrock-runtime", Kind: KindEndpoint, Mirrors: "ErrEndpoint", Statements: by(Principal{Any: true}, allow("bedrock:InvokeModel", "*"))},
		{Name: "endpoint", Kind: KindEndpoint, Statements: by(Principal{Any: true}, allow("bedrock:InvokeModel", "*"))},
		{Name: "key", Kind: KindKey, Statements: by(service, allow("kms:Decrypt", "*"))},
		{Name: "bucket", Kind: KindBucket, Statements: by(service, allow("s3:PutObject", "arn:aws:s3:::logs-123", "arn:aws:s3:::logs-123/*"))},
		{Name: "buckets", Kind: KindBucket, Statements: by(service, allow("s3:PutObject", "arn:aws:s3:::a", "arn:aws:s3:::b"))},
		{Name: "guardrail", Kind: KindGuardrail, Statements: by(Principal{Any: true}, allow("bedrock:ApplyGuardrail", guardrail))},
		{Name: "logs", Kind: KindLogs, Statements: by(service, allow("logs:PutLogEvents", "*"))},
		{Name: "bedrock-policy", Kind: KindBedrock, Declarative: &GuardrailInference{Guardrails: []EnforcedGuardrail{{Region: "eu-central-1", ARN: guardrail, Version: "3"}}}},
	}
	for i := range docs {
		docs[i].Purpose = "Lets a test see the kind " + string(docs[i].Kind) + ", <script> included."
		docs[i].Attach = "Attach it to nothing."
	}
	return docs
}

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file of testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs; -update writes it\n%s", path, got)
	}
}
