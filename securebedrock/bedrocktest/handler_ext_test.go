package bedrocktest_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/probe"
)

func TestUnknownPath(t *testing.T) {
	s := bedrocktest.NewServer(t)
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+"/nothing/here", nil)
	if err != nil {
		t.Fatal(err)
	}
	probe.Sign(t, s, r, nil, "bedrock", time.Now())
	resp, err := s.Config().HTTPClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 404 || resp.Header.Get("X-Amzn-ErrorType") == "" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	if c := s.Calls()[0]; c.Operation != "" || c.Status != 404 || c.Path != "/nothing/here" {
		t.Errorf("%+v", c)
	}
}

// A body that is no such request is refused, and recorded without an input.
func TestMalformedBody(t *testing.T) {
	s := bedrocktest.NewServer(t)
	for _, path := range []string{"/model/m/converse", "/model/m/converse-stream", "/model/m/count-tokens", "/async-invoke", "/guardrail/a/version/1/apply", "/guardrail-checks/invoke", "/model/m/invoke", "/"} {
		for _, body := range []string{"", "null", "[]", `"x"`, "{", `{"messages":{}}`, `{"messages":[{"content":[{"text":1}]}]}`, `{"messages":[null]}`, `{"content":[null]}`, `{"input":null}`, `{"input":{}}`, `{"outputDataConfig":{"x":1}}`} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL()+path, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			service := "bedrock"
			if path == "/" {
				service = "sts"
			}
			probe.Sign(t, s, r, []byte(body), service, time.Now())
			resp, err := s.Config().HTTPClient.Do(r)
			if err != nil {
				t.Errorf("%s %s: %v", path, body, err)
				continue
			}
			_ = resp.Body.Close()
			if resp.StatusCode != 400 && resp.StatusCode != 404 {
				t.Errorf("%s %s: %d", path, body, resp.StatusCode)
			}
		}
	}
}
