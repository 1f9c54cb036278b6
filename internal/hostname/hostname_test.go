package hostname_test

import (
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/internal/hostname"
)

// A port is cut off, and what no Host header can be is refused.
func TestCutPort(t *testing.T) {
	for header, want := range map[string]string{
		"a.example": "a.example", "a.example:80": "a.example", "127.0.0.1:8990": "127.0.0.1", "[::1]": "[::1]", "[::1]:80": "[::1]",
		"": "", ":80": "", "a:": "", "a:0": "", "a:+80": "", "a:65536": "", "a:b": "", "a:1:2": "", "[::1": "", "[": "", "::1": "", "a@b": "", "a/b": "", "a%00": "",
	} {
		if have, ok := hostname.CutPort(header); ok != (want != "") || ok && have != want {
			t.Errorf("%q: %q, %v; want %q", header, have, ok, want)
		}
	}
}

// A name stands alone, as a Host header without a port has it.
func TestFault(t *testing.T) {
	for host, want := range map[string]string{
		"bedrock.internal": "", "10.0.0.1": "", "fd00::1": "", "a_b": "",
		"": "empty", "a:80": "no plain", "https://a": "no plain", "*.a": "no plain", "[::1]": "no plain", "a b": "no plain", "a\tb": "no plain", "a?b": "no plain", "a#b": "no plain", `a\b`: "no plain",
		"fe80::1%eth0": "no plain", "FD00::1": "no plain", "a.": "dot",
	} {
		if have := hostname.Fault(host); !strings.Contains(have, want) || (have == "") != (want == "") {
			t.Errorf("%q: %q, want %q", host, have, want)
		}
	}
}
