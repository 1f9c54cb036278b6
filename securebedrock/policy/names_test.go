package policy

import (
	"fmt"
	"testing"
)

// TestNamesOfAWSBecomeFileNames: roles have capitals, buckets have full stops, and many
// knowledge bases share a key.
func TestNamesOfAWSBecomeFileNames(t *testing.T) {
	t.Parallel()
	opts, acct := one()
	role := func(name string) string { return "arn:aws:iam::" + account + ":role/service-role/" + name }
	const key = "arn:aws:kms:eu-central-1:" + account + ":key/shared"
	r := &acct.Resources
	r.Logs = Logs{Bucket: "my.logs", Group: "g", Role: role("Bedrock_Logs")}
	r.Trail = Trail{Name: "main", Bucket: "my-logs"}
	for i := range 20 {
		r.KnowledgeBases = append(r.KnowledgeBases, KnowledgeBase{ID: fmt.Sprintf("KB%08d", i), Role: role(fmt.Sprintf("Kb.%d", i)), Bucket: "docs", Key: key})
	}
	r.KnowledgeBases[1].Role = role("kb-0")
	s := specOf(t, opts, acct)
	if err := WriteDir(t.TempDir(), s); err != nil {
		t.Fatal(err)
	}
	docs, err := All(s)
	if err != nil {
		t.Fatal(err)
	}
	names := make(map[string]bool)
	for _, d := range docs {
		names[d.Name] = true
	}
	for _, want := range []string{"service-trust-bedrock-logs", "bucket-my-logs", "bucket-my-logs-2", "service-trust-kb-0", "service-trust-kb-0-2", "key-ingestion"} {
		if !names[want] {
			t.Errorf("there is no document %s", want)
		}
	}
	if len(names) != len(docs) {
		t.Errorf("%d documents have %d names", len(docs), len(names))
	}
}
