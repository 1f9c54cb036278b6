package securebedrock_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// A geography that nobody knows is a fault of the Options that lists the known
// ones, alone and among others; a mistaken entry is led to Geography only where
// that leads on.
func TestUnknownGeography(t *testing.T) {
	known := []string{"us", "us-gov", "eu", "apac", "jp", "au", "in", "ca"}
	fault := func(residency []string) string {
		t.Helper()
		o := goodOptions()
		o.Residency = residency
		c, err := securebedrock.NewFromConfig(goodConfig(), o)
		if err == nil {
			c.Close()
			return ""
		}
		if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), ": Residency: ") {
			t.Errorf("%v: %v", residency, err)
		}
		return err.Error()
	}
	for _, name := range []string{"europe", "EU", "global", "", "eu-west-1"} {
		for _, residency := range [][]string{
			securebedrock.Geography(name), append(securebedrock.Geography("us"), securebedrock.Geography(name)...),
			append([]string{"eu-west-1"}, securebedrock.Geography(name)...),
		} {
			says := fault(residency)
			for _, k := range known {
				if !strings.Contains(says, k) {
					t.Errorf("%q: the fault does not list %s: %s", name, k, says)
				}
			}
			if name != "" && !strings.Contains(says, `"`+name+`"`) {
				t.Errorf("the fault does not name %q: %s", name, says)
			}
		}
	}
	for _, entry := range []string{"europe", "emea", "fips-us-east-1", "us-east-1.bedrock-runtime.eu-west-1", "aws-global", "eu-*", "mars-north-1"} {
		if says := fault([]string{entry}); says == "" || strings.Contains(says, "Geography") {
			t.Errorf("%q: %q", entry, says)
		}
	}
	for _, entry := range known {
		if says := fault([]string{entry}); !strings.Contains(says, `Geography("`+entry+`")`) {
			t.Errorf("%q: %q", entry, says)
		}
		if says := fault(securebedrock.Geography(entry)); says != "" {
			t.Error(says)
		}
	}
}
