package audit

import "context"

// Redactor removes from a text what must not be stored. Many goroutines call Redact, each
// with one block of text or one string of a JSON document. For a text that is too long to
// be stored whole, Redact receives the beginning; part of a match longer than 256 bytes
// at the cut may remain.
//
// The record leaves the text out when Redact panics, or does not return within half of
// Options.WriteTimeout. See Block.Withheld.
type Redactor interface {
	Redact(text string) string
}

// Patterns is a Redactor for what has a form of its own: e-mail addresses,
// telephone numbers, payment card numbers (Luhn), IBANs (mod 97), and AWS access
// key IDs and secret keys. Each match becomes its name in brackets, "[EMAIL]".
// Patterns does not find names, addresses or anything else that has no form of its own:
// it lowers a risk and does not remove it. Its time grows only with the length of the
// text.
func Patterns() Redactor {
	return &patterns{finders: []finder{awsKey, secretKey, email, iban, card, phoneWithPrefix, phoneInThree, phoneNational}}
}

// finder finds the next match at or after from, and the name that replaces it. A
// start of -1 says that there is none.
type finder func(s string, from int) (start, end int, name string)

type patterns struct{ finders []finder }

// Redact implements Redactor.
func (p *patterns) Redact(text string) string { return p.redact(context.Background(), text) }

// redact ends early, with nothing, where ctx ends.
func (p *patterns) redact(ctx context.Context, text string) string {
	for _, find := range p.finders {
		if ctx.Err() != nil {
			return ""
		}
		text = find.replace(text)
	}
	return text
}

func (find finder) replace(s string) string {
	var out []byte
	done := 0
	for {
		start, end, name := find(s, done)
		if start < 0 {
			break
		}
		out = append(append(out, s[done:start]...), name...)
		done = end
	}
	if done == 0 {
		return s
	}
	return string(append(out, s[done:]...))
}
