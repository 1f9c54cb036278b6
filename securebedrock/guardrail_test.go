package securebedrock

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// A content type that its owner changes after the rules is not what is sent.
func TestContentTypeIsACopy(t *testing.T) {
	rs := &ruleset{guardrail: Guardrail{ID: "abc", Version: "1"}}
	theirs := aws.String("application/json")
	field := theirs
	if err := rs.bodyCoverage([]byte(`{}`), &field); err != nil {
		t.Fatal(err)
	}
	*theirs = "text/plain"
	if *field != "application/json" {
		t.Errorf("%s would be sent", *field)
	}
}
