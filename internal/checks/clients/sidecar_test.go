package clients_test

import (
	"bufio"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// command builds the securebedrock command once for all tests.
var command = sync.OnceValues(func() (string, error) {
	return build(filepath.Join("..", "..", "..", "securebedrock", "cmd", "securebedrock"), filepath.Join(tempDir(), "securebedrock"))
})

// noWorkspace is the environment of a go command for a module outside the workspace.
func noWorkspace() []string { return append(os.Environ(), "GOWORK=off", "GOFLAGS=") }

// build builds the program in dir, which is a module of its own.
func build(dir, program string) (string, error) {
	cmd := exec.Command("go", "build", "-buildvcs=false", "-o", program, ".")
	cmd.Dir, cmd.Env = dir, noWorkspace()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build in %s: %w\n%s", dir, err, out)
	}
	return program, nil
}

// The file of the sidecar. Each call is sent upstream once, so that a test counts what
// the SDKs send again. One caller may use every model of the file, and one a single model
// that no test asks for.
const configuration = `
region: %s
guardrail: {id: %s, version: "1"}
models: ["%s", "amazon.nova-lite-v1:0"]
unguarded_operations: {InvokeModelWithBidirectionalStream: the test of a bidirectional stream}
endpoint: {url: "%s"}
retry: {max_attempts: 1}
proxy:
  listen: "127.0.0.1:0"
  credentials: credentials
  callers:
    - {name: claims, bearer: true}
    - {name: reports, models: ["amazon.nova-lite-v1:0"]}
  audit: {log: audit.log, keys: keys.json}
`

// sidecar is a running "securebedrock proxy" in front of a bedrocktest server.
type sidecar struct {
	dir    string
	url    string
	bearer string
	server *bedrocktest.Server
	cmd    *exec.Cmd
	wait   func()
}

// startSidecar starts a server and a sidecar. The sidecar's environment holds the server's
// keys, and more.
func startSidecar(t *testing.T, more ...string) *sidecar {
	t.Helper()
	program, err := command()
	if err != nil {
		t.Fatal(err)
	}
	server := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP())
	s := &sidecar{dir: t.TempDir(), server: server}
	front := withRetryAfter(t, server.URL())
	s.write(t, "securebedrock.yaml", fmt.Sprintf(configuration, server.Region(), bedrocktest.DefaultGuardrailID, haiku, front.URL))
	s.write(t, "ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw})))
	if err := audit.GenerateKeys().Save(filepath.Join(s.dir, "keys.json")); err != nil {
		t.Fatal(err)
	}
	keys := server.Credentials()
	s.cmd = exec.Command(program, "proxy")
	s.cmd.Dir, s.cmd.Stderr = s.dir, &lines{t: t, name: "sidecar"}
	s.cmd.Env = append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "AWS_EC2_METADATA_DISABLED=true",
		"AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey,
		"AWS_CA_BUNDLE=" + filepath.Join(s.dir, "ca.pem"),
	}, more...)
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s.wait = sync.OnceFunc(func() {
		_ = s.cmd.Process.Signal(syscall.SIGTERM)
		if err := s.cmd.Wait(); err != nil {
			t.Errorf("the sidecar ended with: %v", err)
		}
	})
	t.Cleanup(s.wait)
	s.url = served(t, out)
	token, err := os.ReadFile(filepath.Join(s.dir, "credentials.claims.token"))
	if err != nil {
		t.Fatal(err)
	}
	s.bearer = strings.TrimSpace(string(token))
	return s
}

// served reads the address that the sidecar tells a person.
func served(t *testing.T, out io.Reader) string {
	t.Helper()
	in := bufio.NewReader(out)
	for {
		line, err := in.ReadString('\n')
		if _, rest, ok := strings.Cut(line, "AWS_ENDPOINT_URL_BEDROCK_RUNTIME="); ok {
			go func() { _, _ = io.Copy(io.Discard, in) }()
			return strings.Fields(rest)[0]
		}
		if err != nil {
			t.Fatalf("the sidecar did not start: %v", err)
		}
	}
}

// withRetryAfter is the server at target over TLS and HTTP/2, as Bedrock is. It adds to
// each throttle the header that says how long to wait.
func withRetryAfter(t *testing.T, target string) *httptest.Server {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	front := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		FlushInterval: -1,
		Transport:     transport,
		Rewrite:       func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = to.Scheme, to.Host },
		ModifyResponse: func(r *http.Response) error {
			if r.StatusCode == http.StatusTooManyRequests {
				r.Header.Set("Retry-After", "1")
			}
			return nil
		},
		ErrorLog: log.New(io.Discard, "", 0), // of the streams that the tests cut
	})
	front.EnableHTTP2 = true
	front.StartTLS()
	t.Cleanup(front.Close)
	return front
}

// calls are the requests that have come to Bedrock, without the one that opens the
// sidecar's connection.
func (s *sidecar) calls() []bedrocktest.Call {
	return slices.DeleteFunc(s.server.Calls(), func(c bedrocktest.Call) bool { return c.Operation == "" })
}

func (s *sidecar) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// key reads a caller's key from the credentials file that the sidecar has written.
func (s *sidecar) key(t *testing.T, name string) (id, secret string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, "credentials"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(text), "["+name+"]")
	find := func(setting string) string {
		m := regexp.MustCompile(setting + `\s*=\s*(\S+)`).FindStringSubmatch(section)
		if m == nil {
			t.Fatalf("the credentials file has no %s of %s", setting, name)
		}
		return m[1]
	}
	return find("aws_access_key_id"), find("aws_secret_access_key")
}

// end stops the sidecar and returns the outcomes that it has recorded.
func (s *sidecar) end(t *testing.T) []audit.Record {
	t.Helper()
	s.wait()
	text, err := os.ReadFile(filepath.Join(s.dir, "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{hello, bomb} {
		if strings.Contains(string(text), secret) {
			t.Errorf("the audit log holds the prompt %q", secret)
		}
	}
	var outcomes []audit.Record
	for line := range strings.Lines(string(text)) {
		var r audit.Record
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		if r.Kind == audit.KindOutcome {
			outcomes = append(outcomes, r)
		}
	}
	return outcomes
}

// canary is a server that nobody is to call.
func canary(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s came to the wrong server", r.Method, r.URL)
		w.WriteHeader(http.StatusTeapot)
	}))
	t.Cleanup(server.Close)
	return server.URL
}
