package bedrocktest

import (
	"crypto/rand"
	"fmt"
)

// accountID is the account of the server: the one of AWS's documentation.
const accountID = "123456789012"

// newID makes an identifier that looks like the services' own, a UUID.
func newID() string {
	var b [16]byte
	// crypto/rand.Read never fails.
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// random returns n random bytes.
func random(n int) []byte {
	b := make([]byte, n)
	// crypto/rand.Read never fails.
	_, _ = rand.Read(b)
	return b
}
