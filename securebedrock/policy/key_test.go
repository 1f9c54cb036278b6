package policy

import (
	"slices"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// named returns the document of a name.
func named(t *testing.T, build builder, s *Spec, name string) Document {
	t.Helper()
	docs, err := build(s)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(docs, func(d Document) bool { return d.Name == name })
	if i < 0 {
		t.Fatalf("there is no document %s among %v", name, titles(docs))
	}
	return docs[i]
}

func titles(docs []Document) []string {
	var list []string
	for _, d := range docs {
		list = append(list, d.Name)
	}
	return list
}

func resSpec(t *testing.T, change func(r *Resources, o *securebedrock.Options)) *Spec {
	t.Helper()
	r, o := everything(), resOptions()
	change(&r, &o)
	return specOf(t, o, Account{ID: resAccount, Resources: r})
}

// TestOneKeyHasOnePolicy puts several uses on one key.
func TestOneKeyHasOnePolicy(t *testing.T) {
	s := resSpec(t, func(r *Resources, _ *securebedrock.Options) {
		r.ModelKey.ARN = r.GuardrailKey.ARN
		r.Logs.BucketKey, r.Logs.GroupKey = r.GuardrailKey.ARN, r.GuardrailKey.ARN
		r.KnowledgeBases[1].Key = keyOf("ingestion-next")
	})
	d := named(t, KeyPolicies, s, "key-guardrail-model-log-bucket-log-group")
	seen := make(map[string]bool)
	for _, st := range d.Statements {
		if seen[st.Sid] {
			t.Errorf("two statements are called %s", st.Sid)
		}
		seen[st.Sid] = true
	}
	for _, sid := range []string{"RepairThroughIAM", "ManageKey", "CreateUnderKey", "CallUnderKey", "CreateUnderKey2", "CallUnderKey2", "WriteInvocationLogs", "EncryptLogGroup"} {
		if !seen[sid] {
			t.Errorf("%s is missing", sid)
		}
	}
	docs, err := KeyPolicies(s)
	if err != nil {
		t.Fatal(err)
	}
	targets := make(map[string]bool)
	for _, d := range docs {
		if targets[d.Attach] {
			t.Errorf("%s would be attached twice", d.Attach)
		}
		targets[d.Attach] = true
	}
	if got := titles(docs); slices.Contains(got, "key-model") || !slices.Contains(got, "key-ingestion-2") {
		t.Errorf("the documents are %v", got)
	}
}

// TestAKeyWithoutAdministratorsStaysManageable has no KeyAdministrators: the account's own
// IAM policies manage the key, and still none of them uses it.
func TestAKeyWithoutAdministratorsStaysManageable(t *testing.T) {
	s := resSpec(t, func(r *Resources, _ *securebedrock.Options) { r.KeyAdministrators = nil })
	d := named(t, KeyPolicies, s, "key-guardrail")
	for _, row := range []struct {
		action  string
		allowed bool
	}{
		{"kms:PutKeyPolicy", true},
		{"kms:ScheduleKeyDeletion", true},
		{"kms:Decrypt", false},
		{"kms:CreateGrant", false},
	} {
		r := aroundRequest{about: row.action, who: throughIAM, action: row.action, resource: resKey}
		if got := r.decide(t, d); got != row.allowed {
			t.Errorf("%s through an IAM policy: allowed is %v, want %v", row.action, got, row.allowed)
		}
	}
}

// TestTheKeyOfAnotherAccountIsLeftToIt keeps to the account's own keys and buckets.
func TestTheKeyOfAnotherAccountIsLeftToIt(t *testing.T) {
	s := resSpec(t, func(r *Resources, _ *securebedrock.Options) {
		r.KnowledgeBases[1].BucketKey = "arn:aws:kms:eu-central-1:" + resOther + ":key/theirs"
	})
	for _, build := range []builder{KeyPolicies, BucketPolicies} {
		docs, err := build(s)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range docs {
			if strings.Contains(d.Attach, "theirs") || strings.Contains(d.Attach, "partner-documents") {
				t.Errorf("%s: %s", d.Name, d.Attach)
			}
		}
	}
	role := named(t, KnowledgeBaseRole, s, "knowledge-base-role-kb-next").JSON()
	if !strings.Contains(role, `"arn:aws:kms:eu-central-1:444455556666:key/theirs"`) {
		t.Errorf("the service role cannot decrypt: %s", role)
	}
}

// TestOneBucketHasOnePolicy puts logs and trail into one bucket.
func TestOneBucketHasOnePolicy(t *testing.T) {
	s := resSpec(t, func(r *Resources, _ *securebedrock.Options) {
		r.Trail.Bucket, r.Trail.Prefix = r.Logs.Bucket, ""
	})
	docs, err := BucketPolicies(s)
	if err != nil {
		t.Fatal(err)
	}
	if got := titles(docs); !slices.Equal(got, []string{"bucket-bedrock-logs", "bucket-claims-documents"}) {
		t.Errorf("the documents are %v", got)
	}
	text := docs[0].JSON()
	for _, want := range []string{
		"arn:aws:s3:::bedrock-logs/prod/eu/AWSLogs/111122223333/BedrockModelInvocationLogs/*", "arn:aws:s3:::bedrock-logs/AWSLogs/111122223333/*",
		"DenyWithoutTLS", "DenyOldTLS", "CheckTrailBucket",
	} {
		if strings.Count(text, want) != 1 {
			t.Errorf("%s does not stand there once: %s", want, text)
		}
	}
}
