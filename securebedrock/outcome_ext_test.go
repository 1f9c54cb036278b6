package securebedrock_test

import (
	"strings"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// The Outcome names the session that signed the call.
func TestOutcomeNamesThePrincipal(t *testing.T) {
	server := bedrocktest.NewServer(t)
	r := new(recorder)
	c := newClient(t, server, r.option)
	if _, err := c.Converse(t.Context(), converse("hello")); err != nil {
		t.Fatal(err)
	}
	one := r.one(t)
	if o := one.outcome; !strings.HasPrefix(o.Principal, "arn:aws:sts::") || !strings.Contains(o.Principal, ":assumed-role/") ||
		o.AccessKeyID != calls(server, "Converse")[0].AccessKeyID {
		t.Errorf("principal %q, key %q", o.Principal, o.AccessKeyID)
	}
	if host := strings.TrimPrefix(server.URL(), "https://"); one.call.Host != host {
		t.Errorf("host %q, want %q", one.call.Host, host)
	}
}
