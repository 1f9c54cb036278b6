package terraform

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"

	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

var update = flag.Bool("update", false, "write the golden files")

// samples has a document of each kind.
func samples() []policy.Document {
	const guardrail = "arn:aws:bedrock:eu-central-1:123456789012:guardrail/abc123"
	statements := func(resource ...string) []policy.Statement {
		return []policy.Statement{{Sid: "Sample", Effect: policy.Allow, Principal: &policy.Principal{Any: true}, Action: []string{"bedrock:InvokeModel"}, Resource: resource,
			Condition: policy.Condition{"StringLike": {"aws:PrincipalTag/team": {"${aws:PrincipalTag/team}", "$${x}", "%{if true}", "%%{", "a<b&c\"d\\e\té", "$", "${"}}}}}
	}
	docs := []policy.Document{
		{Name: "invoke", Kind: policy.KindManaged, Statements: statements("*")},
		{Name: "boundary", Kind: policy.KindBoundary, Statements: statements("*")},
		{Name: "inline", Kind: policy.KindInline, Statements: statements("*")},
		{Name: "session", Kind: policy.KindSession, Statements: statements("*")},
		{Name: "trust", Kind: policy.KindTrust, Statements: statements()},
		{Name: "scp-regions", Kind: policy.KindSCP, Statements: statements("*")},
		{Name: "rcp", Kind: policy.KindRCP, Statements: statements("*")},
		{Name: "endpoint-bedrock-runtime", Kind: policy.KindEndpoint, Statements: statements("*")},
		{Name: "key", Kind: policy.KindKey, Statements: statements("*")},
		{Name: "bucket", Kind: policy.KindBucket, Statements: statements("arn:aws:s3:::logs-123", "arn:aws:s3:::logs-123/*")},
		{Name: "buckets", Kind: policy.KindBucket, Statements: statements("arn:aws:s3:::a", "arn:aws:s3:::b")},
		{Name: "guardrail", Kind: policy.KindGuardrail, Statements: statements(guardrail)},
		{Name: "logs", Kind: policy.KindLogs, Statements: statements("*")},
		{Name: "bedrock-policy", Kind: policy.KindBedrock, Declarative: &policy.GuardrailInference{Guardrails: []policy.EnforcedGuardrail{{Region: "eu-central-1", ARN: guardrail, Version: "3"}}}},
	}
	for i := range docs {
		docs[i].Purpose = "Lets a test see the kind " + string(docs[i].Kind) + ", ${var.x} and \"quotes\" included,\nresource \"aws_iam_user\" \"evil\" {}"
		docs[i].Attach = "Attach it to nothing."
	}
	return docs
}

// evaluated is what Terraform makes of a block's attributes.
type evaluated struct {
	kind   string // the resource's type, or "output"
	values map[string]cty.Value
}

// evaluate parses a file and evaluates each attribute, with "the NAME" for var.NAME.
func evaluate(t *testing.T, text []byte) (blocks map[string]evaluated, variables []string) {
	t.Helper()
	file, faults := hclsyntax.ParseConfig(text, "main.tf", hcl.InitialPos)
	if faults.HasErrors() {
		t.Fatalf("%v\n%s", faults, text)
	}
	body := file.Body.(*hclsyntax.Body)
	known := make(map[string]cty.Value)
	for _, b := range body.Blocks {
		if b.Type == "variable" {
			variables = append(variables, b.Labels[0])
			known[b.Labels[0]] = cty.StringVal("the " + b.Labels[0])
		}
	}
	ctx := &hcl.EvalContext{Variables: map[string]cty.Value{"var": cty.ObjectVal(known)}}
	blocks = make(map[string]evaluated)
	for _, b := range body.Blocks {
		if b.Type != "resource" && b.Type != "output" {
			continue
		}
		e := evaluated{kind: b.Labels[0], values: make(map[string]cty.Value)}
		if b.Type == "output" {
			e.kind = "output"
		}
		for name, a := range b.Body.Attributes {
			v, faults := a.Expr.Value(ctx)
			if faults.HasErrors() {
				t.Fatalf("%v: %v", b.Labels, faults)
			}
			e.values[name] = v
		}
		blocks[b.Labels[len(b.Labels)-1]] = e
	}
	return blocks, variables
}

func TestFile(t *testing.T) {
	got, err := File(samples())
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/samples.tf", got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/samples.tf")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Errorf("samples.tf differs; -update writes it\n%s", got)
	}
	if string(hclwrite.Format(got)) != string(got) {
		t.Error("terraform fmt would change the file")
	}
}

// Terraform's own evaluation of the file gives the bytes of each document.
func TestEachDocumentIsExact(t *testing.T) {
	docs := samples()
	text, err := File(docs)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") && strings.Contains(strings.ReplaceAll(line, "$${", ""), "${") {
			t.Errorf("a variable of IAM is not escaped: %s", line)
		}
	}
	if !strings.Contains(string(text), `$${aws:PrincipalTag/team}`) {
		t.Error("the variable of IAM is gone")
	}
	blocks, variables := evaluate(t, text)
	want := map[string][2]string{ // the resource, and the attribute of the document
		"invoke": {"aws_iam_policy", "policy"}, "boundary": {"aws_iam_policy", "policy"}, "inline": {"aws_iam_role_policy", "policy"},
		"session": {"output", "value"}, "trust": {"aws_iam_role", "assume_role_policy"},
		"scp_regions": {"aws_organizations_policy", "content"}, "rcp": {"aws_organizations_policy", "content"}, "bedrock_policy": {"aws_organizations_policy", "content"},
		"endpoint_bedrock_runtime": {"aws_vpc_endpoint_policy", "policy"}, "key": {"aws_kms_key_policy", "policy"},
		"bucket": {"aws_s3_bucket_policy", "policy"}, "buckets": {"aws_s3_bucket_policy", "policy"},
		"guardrail": {"output", "value"}, "logs": {"aws_cloudwatch_log_resource_policy", "policy_document"},
	}
	if len(blocks) != len(docs) || len(want) != len(docs) {
		t.Errorf("%d blocks of %d documents", len(blocks), len(docs))
	}
	for _, d := range docs {
		label := strings.ReplaceAll(d.Name, "-", "_")
		block := blocks[label]
		if block.kind != want[label][0] {
			t.Errorf("%s is a %s", d.Name, block.kind)
		}
		if got := block.values[want[label][1]]; got == cty.NilVal || got.AsString() != d.JSON() {
			t.Errorf("%s: %#v", d.Name, got)
		}
	}
	for _, row := range [][3]string{
		{"scp_regions", "type", "SERVICE_CONTROL_POLICY"}, {"rcp", "type", "RESOURCE_CONTROL_POLICY"}, {"bedrock_policy", "type", "BEDROCK_POLICY"},
		{"bucket", "bucket", "logs-123"}, {"buckets", "bucket", "the buckets_bucket"}, {"inline", "role", "the inline_role"}, {"trust", "name", "the trust_role"},
		{"endpoint_bedrock_runtime", "vpc_endpoint_id", "the endpoint_bedrock_runtime_id"}, {"key", "key_id", "the key_id"},
		{"invoke", "name", "invoke"}, {"logs", "policy_name", "logs"},
	} {
		if got := blocks[row[0]].values[row[1]]; got == cty.NilVal || got.AsString() != row[2] {
			t.Errorf("%s.%s: %#v", row[0], row[1], got)
		}
	}
	slices.Sort(variables)
	if want := []string{"buckets_bucket", "endpoint_bedrock_runtime_id", "inline_role", "key_id", "trust_role"}; !slices.Equal(variables, want) {
		t.Errorf("%v", variables)
	}
}

// A text of the configuration stays within its comment and its string.
func TestTextMakesNoBlock(t *testing.T) {
	text, err := File(samples())
	if err != nil {
		t.Fatal(err)
	}
	if blocks, _ := evaluate(t, text); blocks["evil"].kind != "" {
		t.Errorf("%v", blocks["evil"])
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "resource \"aws_iam_user\"") {
			t.Errorf("the purpose left its comment: %s", line)
		}
	}
}

func TestRefusals(t *testing.T) {
	for name, docs := range map[string][]policy.Document{
		"one name":    {{Name: "a-b", Kind: policy.KindSCP}, {Name: "a_b", Kind: policy.KindSCP}},
		"normal form": {{Name: "a", Kind: policy.KindSCP, Statements: []policy.Statement{{Sid: "e\u0301"}}}},
	} {
		if got, err := File(docs); err == nil || got != nil {
			t.Errorf("%s: %s", name, got)
		}
	}
	for name, want := range map[string]string{"": "_", "1a": "_1a", "a.b/c": "a_b_c", "A-b": "A_b"} {
		if got := labelOf(name); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
	if got := shorten(strings.Repeat("ä", 513), 512); len([]rune(got)) != 512 {
		t.Error(got)
	}
}
