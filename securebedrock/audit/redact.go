package audit

import "context"

// Redactor takes out of a text what must not be stored. It is called by many
// goroutines, with one block of text, or one string of a JSON document, at a time.
// Of a text that is too long to be stored whole it is given the beginning, and a
// match of more than 256 bytes at that cut may be left in part.
//
// A Redactor that panics, or does not return in half of Options.WriteTimeout, has
// the text left out of the record. See Block.Withheld.
type Redactor interface {
	Redact(text string) string
}

// Patterns is a Redactor for what has a form of its own: e-mail addresses,
// telephone numbers, payment card numbers (Luhn), IBANs (mod 97), and AWS access
// key IDs and secret keys. Each match becomes its name in brackets, "[EMAIL]".
// Names, addresses and whatever else needs to be understood it does not find: it
// lowers a risk and does not end it. Its time grows with the text's length and
// with nothing else.
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
