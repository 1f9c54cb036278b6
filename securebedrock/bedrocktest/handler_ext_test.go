package bedrocktest_test

import (
	"bufio"
	"io"
	"net"
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

// A request whose body breaks off says so. A signature over a part of a body cannot
// match, and its error would lead to the signer.
func TestBodyThatBreaksOff(t *testing.T) {
	s := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP())
	conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "POST /model/m/converse HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n"+
		"Authorization: AWS4-HMAC-SHA256 Credential=a/b/c/bedrock/aws4_request\r\n\r\n{\"messages\""); err != nil {
		t.Fatal(err)
	}
	if half, ok := conn.(*net.TCPConn); !ok || half.CloseWrite() != nil {
		t.Fatal("the connection cannot be closed on one side")
	}
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, _ := io.ReadAll(resp.Body); resp.StatusCode != http.StatusBadRequest || !strings.Contains(string(body), "could not be read") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}
