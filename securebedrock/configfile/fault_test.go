package configfile

import (
	"testing"
)

func TestExcerptKeepsColumns(t *testing.T) {
	for line, want := range map[string]string{
		"region: eu-central-1":                                  "region: eu-central-1",
		"a: [arn:aws:iam::123456789012:role/BedrockInvoker, b]": "a: [*********************************************, b]",
		"key: 'wJalrXUtnFEMI/K7MDENG'":                          "key: '*********************'",
		"a\tb":                                                  "a b",
		"ä: \u202e":                                             "ä: *",
	} {
		if got := shown(line); got != want {
			t.Errorf("%s: got %s, want %s", line, got, want)
		}
	}
}
