package securebedrock

import (
	"errors"
	neturl "net/url"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
)

// Options of any text never panic, and every fault is an ErrConfig.
func FuzzOptions(f *testing.F) {
	f.Add("eu-central-1", "abc123", "4", "https://vpce.example", "arn:aws:iam::123456789012:role/app", "session", `{"a":1}`, "anthropic.*", int64(time.Hour), int64(3))
	f.Add("us-gov-west-1", "arn:aws-us-gov:bedrock:us-gov-west-1:123456789012:guardrail/abc", "DRAFT", "http://[::1]:80", "", "", "", "", int64(-1), int64(0))
	f.Add("eu-central-1.evil.com", "", "0", "https://user:hunter2@host", "arn::::::", "a b", "{", "*", int64(1), int64(-9))
	f.Fuzz(func(t *testing.T, region, guardrail, version, url, role, session, policy, model string, duration, attempts int64) {
		o := Options{
			Region: region, Residency: []string{region, model}, Guardrail: Guardrail{ID: guardrail, Version: version},
			Endpoint: Endpoint{URL: url}, Models: []string{model}, Retry: Retry{MaxAttempts: int(attempts)},
			Role: &Role{ARN: role, SessionName: session, Policy: policy, Duration: time.Duration(duration), Tags: map[string]string{session: policy}},
		}
		s, err := settle(o)
		if err == nil {
			e := s.endpoint
			if e.Host == "" || e.Scheme != "https" && !pinned.Loopback((&neturl.URL{Host: e.Host}).Hostname()) {
				t.Errorf("%q became %+v", url, e)
			}
			if o.Endpoint.URL == "" && !strings.HasPrefix(e.Host, "bedrock-runtime."+region+".") {
				t.Errorf("region %q became host %q", region, e.Host)
			}
			return
		}
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%v is no ErrConfig", err)
		}
	})
}
