// Package ids makes the server's identifiers.
package ids

import (
	"crypto/rand"
	"fmt"
)

// Account is the server's account, the one of AWS's documentation.
const Account = "123456789012"

// New returns an identifier in the services' own form, a UUID.
func New() string {
	var b [16]byte
	// crypto/rand.Read never fails.
	_, _ = rand.Read(b[:])
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// Random returns n random bytes.
func Random(n int) []byte {
	b := make([]byte, n)
	// crypto/rand.Read never fails.
	_, _ = rand.Read(b)
	return b
}
