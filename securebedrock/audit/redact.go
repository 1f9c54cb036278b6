package audit

import (
	"regexp"
	"strings"
)

// Redactor takes out of a text what must not be stored. It is called by many
// goroutines, with one block of text, or one string of a JSON document, at a time.
// Of a text that is too long to be stored whole it is given the beginning, and a
// match of more than 256 bytes at that cut may be left in part.
type Redactor interface {
	Redact(text string) string
}

// Patterns is a Redactor for what has a form of its own: e-mail addresses,
// telephone numbers, payment card numbers (Luhn), IBANs (mod 97), and AWS access
// key IDs and secret keys. Each match becomes its name in brackets, "[EMAIL]".
// Names, addresses and whatever else needs to be understood it does not find: it
// lowers a risk and does not end it.
func Patterns() Redactor {
	const gap = `[ \-.\x{2010}-\x{2013}\x{a0}]`
	return patterns{
		// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
		{regexp.MustCompile(`(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}`), always("[AWS_KEY]")},
		{regexp.MustCompile(`[A-Za-z0-9/+]{40,}`), secretKey},
		{regexp.MustCompile(`[\p{L}\p{N}._%+'\-]+@(?:[\p{L}\p{N}\-]+\.)+\p{L}{2,}`), always("[EMAIL]")},
		{regexp.MustCompile(`[A-Za-z]{2}[0-9]{2}(?:[ \-]?[A-Za-z0-9]){11,30}`), longest("[IBAN]", 15, iban)},
		{regexp.MustCompile(`[0-9](?:` + gap + `?[0-9]){12,}`), longest("[CARD]", 13, luhn)},
		{regexp.MustCompile(`(?:\+|\b00)[0-9](?:[ \-./()\x{2010}-\x{2013}\x{a0}]{0,2}[0-9]){6,14}`), always("[PHONE]")},
		{regexp.MustCompile(`\(?\b[0-9]{2,5}\)?` + gap + `[0-9]{3,4}` + gap + `[0-9]{3,5}\b`), always("[PHONE]")},
		{regexp.MustCompile(`\b0[1-9][0-9]{1,4}[ \-/\x{a0}]?[0-9]{4,9}\b`), always("[PHONE]")},
	}
}

type pattern struct {
	re      *regexp.Regexp
	replace func(match string) string
}

type patterns []pattern

// Redact implements Redactor.
func (ps patterns) Redact(text string) string {
	for _, p := range ps {
		text = p.re.ReplaceAllStringFunc(text, p.replace)
	}
	return text
}

func always(name string) func(string) string { return func(string) string { return name } }

// secretKey replaces what has the form of a secret access key: 40 characters of
// mixed case with a digit. Longer runs are encoded data, in which one could stand.
func secretKey(s string) string {
	if strings.ContainsAny(s, "0123456789") && strings.ToLower(s) != s && strings.ToUpper(s) != s {
		return "[AWS_SECRET]"
	}
	return s
}

// longest replaces, from the left, the longest parts of a match that are valid: a
// number may stand beside other digits or words.
func longest(name string, least int, valid func(string) bool) func(string) string {
	return func(s string) string {
		var b strings.Builder
	next:
		for i := 0; i < len(s); {
			if alnum(s[i]) && (i == 0 || !alnum(s[i-1])) {
				for end := min(len(s), i+2*34); end-i >= least; end-- {
					if alnum(s[end-1]) && (end == len(s) || !alnum(s[end])) && valid(s[i:end]) {
						b.WriteString(name)
						i = end
						continue next
					}
				}
			}
			b.WriteByte(s[i])
			i++
		}
		return b.String()
	}
}

func alnum(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}

// luhn checks a payment card number, ISO/IEC 7812-1.
func luhn(s string) bool {
	sum, n := 0, 0
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] < '0' || s[i] > '9' {
			continue
		}
		d := int(s[i] - '0')
		if n%2 == 1 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
		n++
	}
	return n >= 13 && n <= 19 && sum%10 == 0 && sum > 0
}

// iban checks an account number, ISO 13616-1: the first four moved to the end,
// letters as two digits, modulo 97.
func iban(s string) bool {
	s = strings.ToUpper(strings.NewReplacer(" ", "", "-", "").Replace(s))
	if len(s) < 15 || len(s) > 34 || s[0] < 'A' || s[1] < 'A' || s[2] > '9' || s[3] > '9' {
		return false
	}
	m := 0
	for _, c := range []byte(s[4:] + s[:4]) {
		switch {
		case c >= 'A' && c <= 'Z':
			m = (m*100 + int(c-'A') + 10) % 97
		case c >= '0' && c <= '9':
			m = (m*10 + int(c-'0')) % 97
		default:
			return false
		}
	}
	return m == 1
}
