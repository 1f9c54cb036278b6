package pinned

import (
	"errors"
	"net/http"
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// Only the one signature that is wanted passes.
func TestSignature(t *testing.T) {
	const good = "AWS4-HMAC-SHA256 Credential=AKID/20261101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0"
	want := Signature{AccessKey: "AKID", Token: "token", Region: "us-east-1", Service: "bedrock"}
	for _, row := range []struct {
		name  string
		auth  []string
		token []string
		want  Signature
		rule  error
	}{
		{"the one", []string{good}, []string{"token"}, want, nil},
		{"none", nil, []string{"token"}, want, refusal.Auth},
		{"two", []string{good, good}, []string{"token"}, want, refusal.Auth},
		{"a bearer token", []string{"Bearer x"}, []string{"token"}, want, refusal.Auth},
		{"no session token", []string{good}, nil, want, refusal.Auth},
		{"another session token", []string{good}, []string{"other"}, want, refusal.Auth},
		{"a session token that nobody gave", []string{good}, []string{"token"}, Signature{AccessKey: "AKID", Region: "us-east-1", Service: "bedrock"}, refusal.Auth},
		{"another key", []string{good}, []string{"token"}, Signature{AccessKey: "OTHER", Token: "token", Region: "us-east-1", Service: "bedrock"}, refusal.Auth},
		{"no key, and none is known", []string{"AWS4-HMAC-SHA256 Credential=/20261101/us-east-1/bedrock/aws4_request, x"}, nil, Signature{Region: "us-east-1", Service: "bedrock"}, refusal.Auth},
		{"another region", []string{good}, []string{"token"}, Signature{AccessKey: "AKID", Token: "token", Region: "eu-west-1", Service: "bedrock"}, refusal.Region},
		{"another service", []string{good}, []string{"token"}, Signature{AccessKey: "AKID", Token: "token", Region: "us-east-1", Service: "s3"}, refusal.Auth},
		{"a scope with more parts", []string{"AWS4-HMAC-SHA256 Credential=AKID/20261101/us-east-1/bedrock/x/aws4_request, x"}, []string{"token"}, want, refusal.Auth},
		{"a scope with fewer parts", []string{"AWS4-HMAC-SHA256 Credential=AKID/20261101/us-east-1/aws4_request, x"}, []string{"token"}, want, refusal.Auth},
	} {
		h := http.Header{"Authorization": row.auth}
		if row.token != nil {
			h["X-Amz-Security-Token"] = row.token
		}
		if err := row.want.Check(h); !errors.Is(err, row.rule) {
			t.Errorf("%s: got %v", row.name, err)
		}
	}
}
