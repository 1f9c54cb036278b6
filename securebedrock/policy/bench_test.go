package policy

import "testing"

// BenchmarkAll writes every document of 20 models in 3 regions, from the Options on.
func BenchmarkAll(b *testing.B) {
	opts, acct := american(20)
	acct.Organization = "o-abcdefghij"
	b.ReportAllocs()
	for b.Loop() {
		s, err := For(opts, acct)
		if err != nil {
			b.Fatal(err)
		}
		docs, err := All(s)
		if err != nil {
			b.Fatal(err)
		}
		for i := range docs {
			_ = docs[i].JSON()
		}
	}
}

// BenchmarkSession writes the largest session policy that fits.
func BenchmarkSession(b *testing.B) {
	opts, acct := american(20)
	s := specOf(b, opts, acct)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Session(s); err != nil {
			b.Fatal(err)
		}
	}
}
