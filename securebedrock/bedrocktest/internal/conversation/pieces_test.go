package conversation

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// Every cut of every text leaves whole characters, and the whole text.
func FuzzPieces(f *testing.F) {
	for _, text := range []string{
		"", "a", "Zürich", "東京", "🙂🙂🙂", "👩‍👩‍👧", `\u00fc`, `\ud83d\ude42`, `\\u00fc`, `a\"b`, "\t\n ä", "é", strings.Repeat("ü", 99),
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			t.Skip()
		}
		whole := func(pieces []string) {
			t.Helper()
			for _, piece := range pieces {
				if !utf8.ValidString(piece) {
					t.Errorf("%q is cut into %q", text, pieces)
				}
			}
		}
		for n := 1; n < 4; n++ {
			pieces := Split(text, n)
			whole(pieces)
			if strings.Join(pieces, "") != text {
				t.Errorf("%q became %q", text, pieces)
			}
		}
		// As an encoder writes the text, and with every character escaped.
		plain, err := json.Marshal(map[string]string{"t": text})
		if err != nil {
			t.Fatal(err)
		}
		for _, arguments := range []string{string(plain), `{"t":"` + allEscaped(text) + `"}`} {
			pieces := JSONPieces(arguments)
			whole(pieces)
			if strings.Join(pieces, "") != arguments {
				t.Errorf("%q became %q", arguments, pieces)
			}
			if len(pieces) < 2 {
				continue
			}
			// What stands before the cut is itself a JSON string once it is closed.
			if open, ok := strings.CutPrefix(pieces[0], `{"t":`); ok && len(open) > 0 && !strings.HasSuffix(pieces[1], open) {
				var got string
				if json.Unmarshal([]byte(open+`"`), &got) != nil && json.Unmarshal([]byte(open), &got) != nil {
					t.Errorf("%q is cut inside an escape: %q", arguments, pieces)
				}
				if strings.ContainsRune(got, utf8.RuneError) && !strings.ContainsRune(text, utf8.RuneError) {
					t.Errorf("%q is cut inside a pair: %q", arguments, pieces)
				}
			}
		}
	})
}

func allEscaped(text string) string {
	var out strings.Builder
	for _, r := range text {
		units := []rune{r}
		if r > 0xffff {
			r -= 0x10000
			units = []rune{0xd800 + r>>10, 0xdc00 + r&0x3ff}
		}
		for _, u := range units {
			const hex = "0123456789abcdef"
			out.WriteString(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				out.WriteByte(hex[u>>shift&0xf])
			}
		}
	}
	return out.String()
}
