package policy

import (
	"strings"
	"testing"
	"time"
)

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		fold, want    bool
	}{
		{"", "", false, true}, {"", "a", false, false}, {"*", "", false, true}, {"?", "", false, false},
		{"a*b*c", "a1b2c", false, true}, {"a*b*c", "abcb", false, false}, {"*a", "bab", false, false}, {"*ab", "aab", false, true},
		{"bedrock:invoke*", "bedrock:InvokeModel", true, true}, {"bedrock:invoke*", "bedrock:InvokeModel", false, false},
		{"a\x01", "a*", false, true}, {"a\x01", "ab", false, false}, {"a\x02", "a?", false, true}, {"a\x02", "ab", false, false},
		{"**", "x", false, true}, {"?é?", "aéb", false, true}, {"???", "aéb", false, true}, {"????", "aéb", false, false},
	} {
		if got := glob(c.pattern, c.text, c.fold); got != c.want {
			t.Errorf("glob(%q, %q, %t) is %t", c.pattern, c.text, c.fold, got)
		}
	}
}

// TestGlobTime: no pattern of a policy's size takes long.
func TestGlobTime(t *testing.T) {
	start := time.Now()
	glob(strings.Repeat("a*", 1000)+"b", strings.Repeat("a", 2000), false)
	if took := time.Since(start); took > time.Second {
		t.Errorf("took %v", took)
	}
}

func TestMatchResource(t *testing.T) {
	const model = "arn:aws:bedrock:eu-central-1::foundation-model/a.b-v1:0"
	for _, c := range []struct {
		pattern, resource string
		want              resourceMatch
	}{
		{"*", model, matchYes}, {"*", "*", matchYes}, {"**", "*", matchYes},
		{model, model, matchYes}, {strings.ToUpper(model), model, matchNo},
		{"arn:aws:bedrock:*::foundation-model/*", model, matchYes},
		{"arn:aws:bedrock:*::foundation-model/a.b-v?:0", model, matchYes},
		{"arn:aws:bedrock:*::foundation-model/a.b", model, matchNo},
		{"arn:aws:bedrock:*:*:*", "*", matchNo},
		{"arn:aws:bedrock:*", model, matchYes},
		{"arn:aws:bedrock", model, matchYes}, // completed
		{"arn:aws:bed", model, matchNo},
		{"arn:aws:bedrock:*:foundation-model/*", model, matchYes}, // a * at a part's end reaches over the colon
		{"arn:aws:bedrock:eu-*-1::*", model, matchYes},
		{"arn:a*k:eu-central-1::foundation-model/a.b-v1:0", model, matchUnclear}, // reaches from the middle of a part
		{"arn:aws:bedrock:us-*::*", model, matchNo},
	} {
		if got := matchResource(c.pattern, c.resource); got != c.want {
			t.Errorf("%s to %s is %d, want %d", c.pattern, c.resource, got, c.want)
		}
	}
}

func TestResourceFault(t *testing.T) {
	for _, c := range []struct {
		kind  Kind
		entry string
		ok    bool
	}{
		{KindManaged, "*", true}, {KindManaged, "arn:aws:bedrock", true}, {KindSession, "arn:aws:bedrock:*", false}, {KindSCP, "arn:aws:bedrock", false},
		{KindSession, "arn:aws:s3:::b/${aws:username}", true}, {KindManaged, "arn:aws:s3:::b/${aws:username", false},
		{KindManaged, "arn:aws:s3::${aws:PrincipalAccount}:b", false}, {KindManaged, "", false}, {KindManaged, "bedrock", false}, {KindManaged, "*x", false},
	} {
		if fault := resourceFault(c.kind, c.entry); (fault == "") != c.ok {
			t.Errorf("%s as Resource of kind %s: %q", c.entry, c.kind, fault)
		}
	}
}

func TestActionFault(t *testing.T) {
	for entry, ok := range map[string]bool{"*": true, "*:*": true, "bedrock:*": true, "bedrock-mantle:Create?nference": true,
		"": false, "bedrock": false, "bed*:Invoke": false, ":x": false, "a:": false, "a:b c": false, "a:${b}": false} {
		if fault := actionFault(entry); (fault == "") != ok {
			t.Errorf("%q: %q", entry, fault)
		}
	}
}
