package audit_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

func TestEveryFaultOfTheOptionsIsToldAtOnce(t *testing.T) {
	_, err := audit.Middleware(nil, audit.Options{Application: strings.Repeat("x", 1025), CallerARN: "me", WriteTimeout: -1, Attempts: -1,
		Content: audit.ContentPolicy{Mode: "all", MaxBytes: -1, DigestKey: audit.Key{ID: "k", Secret: make([]byte, 8)}}})
	if !errors.Is(err, securebedrock.ErrConfig) {
		t.Fatal(err)
	}
	for _, field := range []string{"sink", "Application", "CallerARN", "WriteTimeout", "Attempts", "Content.Mode", "Content.MaxBytes", "Content.DigestKey"} {
		if !strings.Contains(err.Error(), "audit: "+field+":") {
			t.Errorf("%s is not named in:\n%v", field, err)
		}
	}
	for _, p := range []audit.ContentPolicy{{Mode: audit.ContentFull}, {Mode: audit.ContentRedacted}, {Mode: audit.ContentDigest}} {
		if _, err := audit.Middleware(new(memory), audit.Options{Content: p}); !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("%q without what it needs: %v", p.Mode, err)
		}
	}
}
