package redisbudget_test

import "testing"

// What a budget in a Redis on loopback adds to a call.
func BenchmarkReserveAndSettle(b *testing.B) {
	addr, _ := start(b)
	s := store(b, client(b, addr))
	for b.Loop() {
		r, ok, err := s.Reserve(b.Context(), "k", long, amount{Tokens: 1 << 50}, amount{Tokens: 100})
		if !ok || err != nil {
			b.Fatal(ok, err)
		}
		if err := s.Settle(b.Context(), r, amount{Tokens: 50}); err != nil {
			b.Fatal(err)
		}
	}
}
