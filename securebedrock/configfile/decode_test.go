package configfile

import (
	"testing"
)

func TestNearest(t *testing.T) {
	for word, want := range map[string]string{"regoin": "region", "maxTokens": "max_tokens", "MAX-TOKENS": "max_tokens", "zzz": "", "": ""} {
		if got := nearest(word, []string{"region", "max_tokens", "models"}); got != want {
			t.Errorf("%s: got %s, want %s", word, got, want)
		}
	}
}
