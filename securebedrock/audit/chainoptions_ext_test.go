package audit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

func TestChainOptionsAreChecked(t *testing.T) {
	_, err := audit.Chain(nil, audit.ChainOptions{Key: audit.Key{ID: "k"}, Every: -1, Interval: -1})
	if !errors.Is(err, securebedrock.ErrConfig) {
		t.Fatal(err)
	}
	for _, field := range []string{"next", "Key", "Signer", "Every", "Interval"} {
		if !strings.Contains(err.Error(), "Chain: "+field+":") {
			t.Errorf("%s is not named in:\n%v", field, err)
		}
	}
	if s := fmt.Sprintf("%v %+v %#v %v %#v", key1, key1, key1, signer, signer); strings.Contains(s, "1, 1") || strings.Contains(s, "0x1") {
		t.Errorf("a secret is printed: %s", s)
	}
}
