package securebedrock

import "math/rand/v2"

// newCallID is unique, and no secret: 130 random bits.
func newCallID() string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
	var id [26]byte
	for i := 0; i < len(id); i += 13 {
		bits, last := rand.Uint64(), i+12 // an identifier, not a secret
		for j := i; j < last; j++ {
			id[j] = alphabet[bits&31]
			bits >>= 5
		}
		id[last] = alphabet[rand.Uint32()&31] // as above
	}
	return string(id[:])
}
