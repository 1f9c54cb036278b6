package middleware

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
	"unsafe"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

func textOf(b types.GuardrailContentBlock) string {
	return aws.ToString(b.(*types.GuardrailContentBlockMemberText).Value.Text)
}

func anyContent() *gathering {
	return &gathering{parts: AllParts, mostText: math.MaxInt64, mostImages: math.MaxInt, ended: func() error { return nil }}
}

// However a text is cut, the cutting ends, no request is too large, the pieces are
// the whole text, and no character is cut.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(strings.Repeat("\x80", 30_000)), []byte("end"), 25_000)
	f.Add([]byte(strings.Repeat("\x80", 5000)), []byte{}, 1024)
	f.Add([]byte("a"+strings.Repeat("\xbf", 3000)), []byte(strings.Repeat("ä", 700)), 1025)
	f.Add([]byte(strings.Repeat("日本語", 900)), []byte(strings.Repeat("\xf0", 2000)), 1030)
	f.Add([]byte(strings.Repeat("x", 1020)), []byte("\xf0\x9f\x98\x80 and more"), 1024)
	f.Fuzz(func(t *testing.T, one, two []byte, most int) {
		most = 2*overlap + int(uint(most)%30_000)
		c := anyContent()
		whole := string(one) + string(two)
		c.text(whole[:len(one)], whole[len(one):])
		requests := c.requests(most, math.MaxInt)
		if bound := 4 + 2*len(whole)/overlap; len(requests) > bound {
			t.Fatalf("%d requests for %d bytes", len(requests), len(whole))
		}
		covered := 0
		for _, blocks := range requests {
			size := 0
			for _, b := range blocks {
				s := textOf(b)
				size += len(s)
				if s == "" {
					t.Fatal("an empty piece")
				}
				if utf8.ValidString(whole) && !utf8.ValidString(s) {
					t.Fatalf("a character is cut in %q", s)
				}
				if from := offset(whole, s); from > covered {
					t.Fatalf("bytes %d to %d are in no request", covered, from)
				} else {
					covered = max(covered, from+len(s))
				}
			}
			if size > most {
				t.Fatalf("%d bytes in a request of %d", size, most)
			}
		}
		if covered != len(whole) {
			t.Fatalf("%d of %d bytes are in a request", covered, len(whole))
		}
	})
}

// offset is where a piece, which is a part of whole and no copy, begins.
func offset(whole, piece string) int {
	return int(uintptr(unsafe.Pointer(unsafe.StringData(piece))) - uintptr(unsafe.Pointer(unsafe.StringData(whole))))
}
