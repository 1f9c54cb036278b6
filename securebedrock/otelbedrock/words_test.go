package otelbedrock

import (
	"strings"
	"testing"
)

func TestAWordIsPlainAndShort(t *testing.T) {
	for in, want := range map[string]string{
		"end_turn": "end_turn", "79b9da39-b7ae": "79b9da39-b7ae", "1": "1",
		strings.Repeat("a", 128): strings.Repeat("a", 128), strings.Repeat("a", 129): "",
		"": "", "two words": "", "line\nbreak": "", "bell\a": "", "naïve": "", `"quoted"`: "", "a,b": "", "a=b": "", "{a}": "",
	} {
		if got := word(in); got != want {
			t.Errorf("word(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAReasonIsOneLine(t *testing.T) {
	const not = "(not one line of at most 256 bytes)"
	for in, want := range map[string]string{
		"published texts only": "published texts only", "für öffentliche Texte": "für öffentliche Texte",
		"two\nlines": not, "bell\a": not, "\xff": not, strings.Repeat("a", 257): not,
	} {
		if got := reason(in); got != want {
			t.Errorf("reason(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestAPortIsOptional(t *testing.T) {
	for host, want := range map[string]string{
		"bedrock-runtime.eu-central-1.amazonaws.com": "bedrock-runtime.eu-central-1.amazonaws.com 443",
		"127.0.0.1:8443": "127.0.0.1 8443", "[::1]:8443": "::1 8443", "example.com:https": "example.com:https 443",
	} {
		a := serverAttributes(host)
		if got := a[0].Value.String() + " " + a[1].Value.String(); got != want {
			t.Errorf("%s: %s, want %s", host, got, want)
		}
	}
}

func TestAGuardrailsARNEndsInItsID(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a1b2": "a1b2", "arn:aws:bedrock:us-east-1:123456789012:guardrail/a1b2": "a1b2",
	} {
		if got := guardrailID(in); got != want {
			t.Errorf("guardrailID(%q) = %q", in, got)
		}
	}
}
