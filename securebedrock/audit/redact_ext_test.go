package audit_test

import (
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

func TestPatterns(t *testing.T) {
	for _, row := range []struct{ name, text, want string }{
		{"an address", "to a.b+c@mail.example.co.uk.", "to [EMAIL]."},
		{"an address of another script", "an jörg@exämple.de", "an [EMAIL]"},
		{"a card", "4111111111111111", "[CARD]"},
		{"a card with spaces in a sentence", "pay 5500 0000 0000 0004 now", "pay [CARD] now"},
		{"a card beside another number", "12 4111-1111-1111-1111", "12 [CARD]"},
		{"a number that is no card", "order 4111111111111112", "order 4111111111111112"},
		{"an IBAN", "GB82WEST12345698765432", "[IBAN]"},
		{"an IBAN with spaces before words", "DE89 3704 0044 0532 0130 00 is mine", "[IBAN] is mine"},
		{"an IBAN in small letters", "gb82 west 1234 5698 7654 32", "[IBAN]"},
		{"an access key", "key AKIAIOSFODNN7EXAMPLE.", "key [AWS_KEY]."},
		{"a secret key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "[AWS_SECRET]"},
		{"a hash is no secret key", strings.Repeat("0123456789abcdef", 4), strings.Repeat("0123456789abcdef", 4)},
		{"a telephone number", "call +1 (555) 010-9999 today", "call [PHONE] today"},
		{"a national one", "0228 / 1234567", "0228 / 1234567"},
		{"a national one without spaces", "0228/1234567", "[PHONE]"},
		{"an American one", "555-010-9999", "[PHONE]"},
		{"a date is none", "2026-11-24", "2026-11-24"},
		{"an amount is none", "1,234.56 and 100000", "1,234.56 and 100000"},
	} {
		if got := audit.Patterns().Redact(row.text); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
