package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

const (
	model = "anthropic.claude-3-haiku-20240307-v1:0"
	nova  = "amazon.nova-lite-v1:0"
)

// sidecar is a proxy that runs as a process.
type sidecar struct {
	dir, url string
	process  *exec.Cmd
	out, log *lockedBuffer
	ended    chan error
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// proxyFile is a configuration for a server, with the lines of a proxy.
func proxyFile(server *bedrocktest.Server, lines ...string) string {
	return fmt.Sprintf(`region: %s
guardrail: {id: %s, version: "1"}
models: [%q, %q]
endpoint: {url: %q}
retry: {max_backoff: 1ms}
proxy:
  listen: "127.0.0.1:0"
  credentials: run/credentials
  %s
`, server.Region(), bedrocktest.DefaultGuardrailID, model, nova, server.URL(), strings.Join(lines, "\n  "))
}

var listens = regexp.MustCompile(`Bedrock is served (?:at|on the socket) (\S+)\.`)

// startProxy runs the command on a file, in an environment that has the credentials of a
// server and nothing else. It waits until the proxy is ready.
func startProxy(t *testing.T, dir, text string, server *bedrocktest.Server, env []string, args ...string) *sidecar {
	t.Helper()
	writeConfig(t, filepath.Join(dir, "securebedrock.yaml"), text)
	s := launch(t, dir, serverEnv(t, dir, server, env), args...)
	waitFor(t, "the proxy to listen", func() bool { return listens.MatchString(s.out.String()) || s.over() })
	found := listens.FindStringSubmatch(s.out.String())
	if found == nil {
		t.Fatalf("the proxy does not listen:\n%s", s.log)
	}
	if s.url = found[1]; strings.HasPrefix(s.url, "http://") {
		waitFor(t, "the proxy to be ready", func() bool { return s.get(t, "/readyz") == http.StatusOK })
	}
	return s
}

func serverEnv(t *testing.T, dir string, server *bedrocktest.Server, env []string) []string {
	t.Helper()
	keys := server.Credentials()
	own := []string{"AWS_ACCESS_KEY_ID=" + keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + keys.SecretAccessKey, "HOME=" + dir, asCommand + "=1"}
	if pem := server.CertificatePEM(); len(pem) > 0 {
		ca := filepath.Join(dir, "ca.pem")
		if err := os.WriteFile(ca, pem, 0o600); err != nil {
			t.Fatal(err)
		}
		own = append(own, "AWS_CA_BUNDLE="+ca)
	}
	return append(own, env...)
}

func launch(t *testing.T, dir string, env []string, args ...string) *sidecar {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s := &sidecar{dir: dir, out: &lockedBuffer{}, log: &lockedBuffer{}, ended: make(chan error, 1)}
	s.process = exec.Command(self, append([]string{"proxy", "-c", filepath.Join(dir, "securebedrock.yaml")}, args...)...)
	s.process.Env, s.process.Stdout, s.process.Stderr = env, s.out, s.log
	if err := s.process.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		s.ended <- s.process.Wait()
		close(done)
	}()
	t.Cleanup(func() {
		_ = s.process.Process.Kill()
		<-done
	})
	return s
}

// over reports that the process has ended.
func (s *sidecar) over() bool {
	select {
	case err := <-s.ended:
		s.ended <- err
		return true
	default:
		return false
	}
}

func (s *sidecar) get(t *testing.T, path string) int {
	t.Helper()
	res, err := http.Get(s.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

// stop sends a signal and returns the exit code.
func (s *sidecar) stop(t *testing.T, sig syscall.Signal) int {
	t.Helper()
	if err := s.process.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	return s.code(t)
}

func (s *sidecar) code(t *testing.T) int {
	t.Helper()
	select {
	case err := <-s.ended:
		s.ended <- err
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return s.process.ProcessState.ExitCode()
	case <-time.After(time.Minute):
		t.Fatalf("the proxy does not end:\n%s", s.log)
	}
	return -1
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waiting for %s took a minute", what)
		}
	}
}

// sdk is a plain client of the AWS SDK, which knows nothing of the proxy but what the
// lines at the start say.
func (s *sidecar) sdk(t *testing.T, profile string) *bedrockruntime.Client {
	t.Helper()
	t.Setenv("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", s.url)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(s.dir, "run", "credentials"))
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(s.dir, "none"))
	t.Setenv("AWS_PROFILE", profile)
	t.Setenv("AWS_REGION", "us-east-1")
	cfg, err := config.LoadDefaultConfig(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return bedrockruntime.NewFromConfig(cfg)
}

func ask(text string) []types.Message {
	return []types.Message{{Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: text}}}}
}

func converse(ctx context.Context, c *bedrockruntime.Client, model, text string) (*bedrockruntime.ConverseOutput, error) {
	return c.Converse(ctx, &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: ask(text)})
}

func auditKeys(t *testing.T, dir string) audit.Keys {
	t.Helper()
	keys := audit.GenerateKeys()
	if err := keys.Save(filepath.Join(dir, "keys.json")); err != nil {
		t.Fatal(err)
	}
	return keys
}

// logHasNo demands that each line of the log is JSON, and that none holds a word.
func (s *sidecar) logHasNo(t *testing.T, words ...string) {
	t.Helper()
	for line := range strings.Lines(s.log.String()) {
		if !json.Valid([]byte(line)) {
			t.Errorf("the log has a line that is no JSON: %s", line)
		}
	}
	for _, word := range words {
		if strings.Contains(s.log.String()+s.out.String(), word) {
			t.Errorf("%q is in the log or the output", word)
		}
	}
}

// TestProxyServesThePlainSDK makes calls of every kind through the process.
func TestProxyServesThePlainSDK(t *testing.T) {
	server, dir := bedrocktest.NewServer(t), t.TempDir()
	keys := auditKeys(t, dir)
	s := startProxy(t, dir, proxyFile(server, "callers: [{name: claims}, {name: batch, models: [\"amazon.nova-*\"], budget: {tokens: 3000}}, {name: web, bearer: true}]", "audit: {log: audit.log, keys: keys.json}"), server, nil)
	claims, batch := s.sdk(t, "claims"), s.sdk(t, "batch")

	out, err := converse(t.Context(), claims, model, "the prompt 4711")
	if err != nil || out.StopReason != types.StopReasonEndTurn {
		t.Fatalf("Converse: %+v %v\n%s", out, err, s.log)
	}
	stream, err := claims.ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String(model), Messages: ask("the prompt 4711")})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := bedrocktest.Collect(stream.GetStream()); err != nil || got.StopReason != types.StopReasonEndTurn {
		t.Errorf("ConverseStream: %+v %v", got, err)
	}
	if out, err := converse(t.Context(), claims, model, "how to build a bomb"); err != nil || out.StopReason != types.StopReasonGuardrailIntervened {
		t.Errorf("a blocked prompt: %+v %v", out, err)
	}
	for _, row := range []struct {
		what, model, code, says string
		client                  *bedrockruntime.Client
	}{
		{"a model that nobody may use", "meta.llama3-8b-instruct-v1:0", "AccessDeniedException", "model", claims},
		{"a model that this caller may not use", model, "AccessDeniedException", "model", batch},
	} {
		_, err := converse(t.Context(), row.client, row.model, "the prompt 4711")
		var api smithy.APIError
		if !errors.As(err, &api) || api.ErrorCode() != row.code || !strings.Contains(api.ErrorMessage(), row.says) {
			t.Errorf("%s: %v", row.what, err)
		}
	}
	var refused error
	for range 5 { // each reserves its estimate of at most 1024 tokens of output
		if _, err := converse(t.Context(), batch, nova, strings.Repeat("word ", 900)); err != nil {
			refused = err
		}
	}
	if refused == nil || !strings.Contains(refused.Error(), "budget") {
		t.Errorf("a budget that is spent: %v", refused)
	}
	if _, err := converse(t.Context(), claims, nova, strings.Repeat("word ", 900)); err != nil {
		t.Errorf("a caller without a budget, after another's is spent: %v", err)
	}
	server.Fail("Converse", bedrocktest.Throttle(3))
	var throttled *types.ThrottlingException
	if _, err := claims.Converse(t.Context(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: ask("hi")}, func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 1 }); !errors.As(err, &throttled) {
		t.Errorf("a throttle: %v", err)
	}
	token, err := os.ReadFile(filepath.Join(dir, "run", "credentials.web.token"))
	if err != nil {
		t.Fatal(err)
	}
	for bearer, want := range map[string]int{strings.TrimSpace(string(token)): http.StatusOK, "x" + strings.TrimSpace(string(token)): http.StatusForbidden} {
		if got := post(t, s.url, bearer); got != want {
			t.Errorf("a bearer token: status %d, want %d", got, want)
		}
	}

	if code := s.stop(t, syscall.SIGTERM); code != exitOK {
		t.Errorf("the exit code is %d:\n%s", code, s.log)
	}
	own := server.Credentials().AccessKeyID
	for _, call := range server.Calls() {
		if call.Operation != "" && (call.AccessKeyID != own || call.Header.Get("Authorization") == "" || strings.HasPrefix(call.AuthScheme, "Bearer")) {
			t.Errorf("%s was signed with %s", call.Operation, call.AccessKeyID)
		}
		if in, ok := call.Input.(*bedrockruntime.ConverseInput); ok && (in.GuardrailConfig == nil || aws.ToString(in.GuardrailConfig.GuardrailIdentifier) != bedrocktest.DefaultGuardrailID) {
			t.Error("a call went without the guardrail")
		}
	}
	for file, mode := range map[string]os.FileMode{"credentials": 0o600, "credentials.web.token": 0o600, "": os.ModeDir | 0o700} {
		if info, err := os.Stat(filepath.Join(dir, "run", file)); err != nil || info.Mode() != mode {
			t.Errorf("run/%s: %v %v", file, info.Mode(), err)
		}
	}
	credentials, err := os.ReadFile(filepath.Join(dir, "run", "credentials"))
	if err != nil {
		t.Fatal(err)
	}
	secrets := regexp.MustCompile(`aws_secret_access_key *= *(\S+)`).FindAllStringSubmatch(string(credentials), -1)
	if len(secrets) != 4 { // the first caller is also the profile default
		t.Errorf("the credentials file has %d keys", len(secrets))
	}
	if n := strings.Count(string(credentials), "# bearer = "); n != 1 {
		t.Errorf("%d callers have a bearer token", n)
	}
	for _, secret := range secrets {
		s.logHasNo(t, secret[1])
	}
	s.logHasNo(t, strings.TrimSpace(string(token)), "4711", "bomb")

	report, err := audit.VerifyFile(filepath.Join(dir, "audit.log"), keys)
	if err != nil || !report.OK() {
		t.Fatalf("the log does not verify: %v %v", report, err)
	}
	records, err := os.ReadFile(filepath.Join(dir, "audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"claims", "batch", "web"} {
		if !strings.Contains(string(records), `"subject":"`+name+`"`) {
			t.Errorf("no record has the subject %s", name)
		}
	}
	if strings.Contains(string(records), "4711") {
		t.Error("a prompt is in the records")
	}
}

func post(t *testing.T, url, bearer string) int {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url+"/model/"+model+"/converse", strings.NewReader(`{"messages":[{"role":"user","content":[{"text":"hi"}]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+bearer)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// slowReply makes the model wait until the test lets it go.
func slowReply(server *bedrocktest.Server) (asked <-chan struct{}, release func()) {
	began, gate := make(chan struct{}, 16), make(chan struct{})
	server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		began <- struct{}{}
		<-gate
		return bedrocktest.Text("the answer in full"), nil
	})
	return began, sync.OnceFunc(func() { close(gate) })
}

// TestProxyLetsAStreamEnd tells the proxy to end while a caller reads a stream.
func TestProxyLetsAStreamEnd(t *testing.T) {
	server, dir := bedrocktest.NewServer(t), t.TempDir()
	keys := auditKeys(t, dir)
	s := startProxy(t, dir, proxyFile(server, "callers: [{name: claims}]", "audit: {log: audit.log, keys: keys.json}"), server, nil)
	const words = 100_000 // more than the buffers on the way hold
	server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		return bedrocktest.Text(strings.Repeat("word ", words)), nil
	})
	out, err := s.sdk(t, "claims").ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{
		ModelId: aws.String(model), Messages: ask("hi"), InferenceConfig: &types.InferenceConfiguration{MaxTokens: aws.Int32(2 * words)},
	})
	if err != nil {
		t.Fatal(err)
	}
	<-out.GetStream().Events()
	if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the proxy to end", func() bool { return strings.Contains(s.log.String(), `"msg":"ending"`) })
	waitFor(t, "the address to be closed", func() bool {
		_, err := http.Get(s.url + "/healthz")
		return err != nil
	})
	if s.over() {
		t.Fatalf("the proxy has ended with a stream in flight:\n%s", s.log)
	}
	got, err := bedrocktest.Collect(out.GetStream())
	if err != nil || got.StopReason != types.StopReasonEndTurn || aws.ToInt32(got.Usage.OutputTokens) != words {
		t.Errorf("the stream: %v", err)
	}
	if code := s.code(t); code != exitOK {
		t.Errorf("the exit code is %d:\n%s", code, s.log)
	}
	if report, err := audit.VerifyFile(filepath.Join(dir, "audit.log"), keys); err != nil || !report.OK() {
		t.Errorf("the log does not verify: %v %v", report, err)
	}
}

// TestProxyEndsAtOnce: the second signal, and the end of the grace, cut the calls. Their
// records are written all the same.
func TestProxyEndsAtOnce(t *testing.T) {
	for _, row := range []struct {
		what, shutdown string
		signals        int
	}{{"a second signal", "1h", 2}, {"the end of the grace", "100ms", 1}} {
		t.Run(row.what, func(t *testing.T) {
			server, dir := bedrocktest.NewServer(t), t.TempDir()
			keys := auditKeys(t, dir)
			s := startProxy(t, dir, proxyFile(server, "callers: [{name: claims}]", "audit: {log: audit.log, keys: keys.json}", "shutdown: "+row.shutdown), server, nil)
			client := s.sdk(t, "claims")
			asked, release := slowReply(server)
			defer release()
			answer := make(chan error, 1)
			go func() {
				_, err := client.Converse(context.Background(), &bedrockruntime.ConverseInput{ModelId: aws.String(model), Messages: ask("hi")}, func(o *bedrockruntime.Options) { o.RetryMaxAttempts = 1 })
				answer <- err
			}()
			<-asked
			for i := range row.signals {
				if i > 0 {
					waitFor(t, "the proxy to end", func() bool { return strings.Contains(s.log.String(), `"msg":"ending"`) })
				}
				if err := s.process.Process.Signal(syscall.SIGTERM); err != nil {
					t.Fatal(err)
				}
			}
			if code := s.code(t); code != exitFault || !strings.Contains(s.log.String(), "calls in flight were cut") {
				t.Errorf("the exit code is %d:\n%s", code, s.log)
			}
			if err := <-answer; err == nil {
				t.Error("a call that was cut has an answer")
			}
			if report, err := audit.VerifyFile(filepath.Join(dir, "audit.log"), keys); err != nil || !report.OK() {
				t.Errorf("the log does not verify: %v %v", report, err)
			}
		})
	}
}

// TestProxyCutsAStreamWithAnError: a stream that the end of the grace cuts is never a short
// answer.
func TestProxyCutsAStreamWithAnError(t *testing.T) {
	server, dir := bedrocktest.NewServer(t), t.TempDir()
	keys := auditKeys(t, dir)
	s := startProxy(t, dir, proxyFile(server, "callers: [{name: claims}]", "audit: {log: audit.log, keys: keys.json}", "shutdown: 100ms"), server, nil)
	server.Fail("ConverseStream", bedrocktest.StallStream(2))
	out, err := s.sdk(t, "claims").ConverseStream(t.Context(), &bedrockruntime.ConverseStreamInput{ModelId: aws.String(model), Messages: ask("hi")})
	if err != nil {
		t.Fatal(err)
	}
	<-out.GetStream().Events()
	if code := s.stop(t, syscall.SIGTERM); code != exitFault {
		t.Errorf("the exit code is %d:\n%s", code, s.log)
	}
	var api smithy.APIError
	if got, err := bedrocktest.Collect(out.GetStream()); !errors.As(err, &api) {
		t.Errorf("the stream ends with %v after %d events, and no exception", err, got.Events)
	}
	if report, err := audit.VerifyFile(filepath.Join(dir, "audit.log"), keys); err != nil || !report.OK() {
		t.Errorf("the log does not verify: %v %v", report, err)
	}
}

// TestProxyOnASocket serves the plain SDK over a Unix socket, which nobody else may use.
func TestProxyOnASocket(t *testing.T) {
	server, dir := bedrocktest.NewServer(t), shortDir(t)
	text := strings.Replace(proxyFile(server, "callers: [{name: claims}]", "unaudited: a test"), "listen: \"127.0.0.1:0\"", "listen: unix:run/bedrock.sock", 1)
	s := startProxy(t, dir, text, server, nil)
	socket := filepath.Join(dir, "run", "bedrock.sock")
	if info, err := os.Stat(socket); err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Fatalf("%v %v", info.Mode(), err)
	}
	s.url = "http://localhost"
	client := bedrockruntime.New(s.sdk(t, "claims").Options(), func(o *bedrockruntime.Options) { o.HTTPClient = overSocket(socket) })
	if _, err := converse(t.Context(), client, model, "hi"); err != nil {
		t.Errorf("%v\n%s", err, s.log)
	}
	second := launch(t, dir, serverEnv(t, dir, server, nil))
	if code := second.code(t); code != exitFault || !strings.Contains(second.log.String(), "another process listens on") {
		t.Errorf("a second proxy: %d %s", code, second.log)
	}
	if _, err := converse(t.Context(), client, model, "hi"); err != nil {
		t.Errorf("after a second proxy: %v", err)
	}
	if err := s.process.Process.Kill(); err != nil { // leaves the socket behind
		t.Fatal(err)
	}
	s.code(t)
	third := startProxy(t, dir, text, server, nil)
	if _, err := converse(t.Context(), bedrockruntime.New(third.sdk(t, "claims").Options(), func(o *bedrockruntime.Options) {
		o.HTTPClient, o.BaseEndpoint = overSocket(socket), aws.String("http://localhost")
	}), model, "hi"); err != nil {
		t.Errorf("after a socket that was left behind: %v", err)
	}
	if code := third.stop(t, syscall.SIGTERM); code != exitOK {
		t.Errorf("%d %s", code, third.log)
	}
	if _, err := os.Stat(socket); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

// TestProxyKeepsKeys starts a proxy twice.
func TestProxyKeepsKeys(t *testing.T) {
	server, dir := bedrocktest.NewServer(t), t.TempDir()
	read := func() string {
		text, err := os.ReadFile(filepath.Join(dir, "run", "credentials"))
		token, err2 := os.ReadFile(filepath.Join(dir, "run", "credentials.claims.token"))
		if err := errors.Join(err, err2); err != nil {
			t.Fatal(err)
		}
		return string(text) + string(token)
	}
	text := proxyFile(server, "callers: [{name: claims, bearer: true}]", "unaudited: a test")
	var states []string
	for _, args := range [][]string{nil, {"--keep-keys"}, nil} {
		s := startProxy(t, dir, text, server, nil, args...)
		if _, err := converse(t.Context(), s.sdk(t, "claims"), model, "hi"); err != nil {
			t.Errorf("%v: %v", args, err)
		}
		states = append(states, read())
		s.stop(t, syscall.SIGTERM)
	}
	if states[0] != states[1] || states[1] == states[2] {
		t.Error("--keep-keys does not keep keys, or a start without it does")
	}
}

// TestProxyRefusesToStart names what is wrong, and writes nothing.
func TestProxyRefusesToStart(t *testing.T) {
	server := bedrocktest.NewServer(t)
	sound := proxyFile(server, "callers: [{name: claims}]", "unaudited: a test")
	for _, row := range []struct {
		what, text, want string
		env              []string
		prepare          func(t *testing.T, dir string)
	}{
		{what: "no proxy section", text: "region: us-east-1\nunguarded: a test\n", want: "has no proxy section"},
		{what: "another address without TLS", text: strings.Replace(sound, "127.0.0.1:0", "0.0.0.0:0", 1), want: "is not a loopback address"},
		{what: "the callers' credentials for its own", text: sound, env: []string{"AWS_SHARED_CREDENTIALS_FILE=DIR/run/credentials"}, want: "start the proxy without AWS_SHARED_CREDENTIALS_FILE"},
		{what: "the callers' endpoint for its own", text: strings.Replace(sound, "127.0.0.1:0", "127.0.0.1:8990", 1), env: []string{"AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://localhost:8990/"}, want: "start the proxy without AWS_ENDPOINT_URL_BEDROCK_RUNTIME"},
		{what: "no audit keys", text: proxyFile(server, "callers: [{name: claims}]", "audit: {log: a, keys: b}"), want: "securebedrock audit keys"},
		{what: "gRPC", text: sound, env: []string{"OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:1", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc"}, want: "set http/protobuf"},
		{what: "a file of the user's", text: sound, want: "is no credentials file of a proxy", prepare: func(t *testing.T, dir string) {
			if err := os.MkdirAll(filepath.Join(dir, "run"), 0o700); err != nil {
				t.Fatal(err)
			}
			writeConfig(t, filepath.Join(dir, "run", "credentials"), "[default]\naws_access_key_id = mine\naws_secret_access_key = mine\n")
		}},
	} {
		t.Run(row.what, func(t *testing.T) {
			dir := t.TempDir()
			writeConfig(t, filepath.Join(dir, "securebedrock.yaml"), row.text)
			for i := range row.env {
				row.env[i] = strings.ReplaceAll(row.env[i], "DIR", dir)
			}
			if row.prepare != nil {
				row.prepare(t, dir)
			}
			s := launch(t, dir, serverEnv(t, dir, server, row.env))
			if code := s.code(t); code != exitFault || !strings.Contains(s.log.String(), row.want) || s.out.String() != "" {
				t.Errorf("%d %s %s", code, s.log, s.out)
			}
			if text, err := os.ReadFile(filepath.Join(dir, "run", "credentials")); err == nil && !strings.Contains(string(text), "mine") {
				t.Errorf("it has written %s", text)
			}
		})
	}
}

// TestProxiesShareNoKeys starts a second proxy, on another address, with the credentials
// file of the first. The callers of the first go on.
func TestProxiesShareNoKeys(t *testing.T) {
	server, dir := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP()), t.TempDir()
	s := startProxy(t, dir, proxyFile(server, "callers: [{name: claims}]", "unaudited: a test"), server, nil)
	for _, keep := range []string{"--keep-keys=false", "--keep-keys"} {
		second := launch(t, dir, serverEnv(t, dir, server, nil), keep)
		if code := second.code(t); code != exitFault || !strings.Contains(second.log.String(), "name another file") {
			t.Errorf("%s: %d %s", keep, code, second.log)
		}
	}
	if _, err := converse(t.Context(), s.sdk(t, "claims"), model, "hi"); err != nil {
		t.Error(err)
	}
	s.stop(t, syscall.SIGKILL) // a proxy that dies holds nothing
	startProxy(t, dir, proxyFile(server, "callers: [{name: claims}]", "unaudited: a test"), server, nil)
}

// TestProxyInAHostileEnvironment sets what would move a plain client.
func TestProxyInAHostileEnvironment(t *testing.T) {
	server, dir := bedrocktest.NewServer(t), t.TempDir()
	s := startProxy(t, dir, proxyFile(server, "callers: [{name: claims}]", "unaudited: a test"), server, []string{
		"AWS_BEARER_TOKEN_BEDROCK=a-token", "AWS_ENDPOINT_URL=http://127.0.0.1:9", "AWS_ENDPOINT_URL_BEDROCK_RUNTIME=http://127.0.0.1:9",
		"AWS_REGION=ap-south-1", "AWS_DEFAULT_REGION=ap-south-1", "AWS_USE_FIPS_ENDPOINT=true", "OTEL_SDK_DISABLED=true", "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9",
	})
	if _, err := converse(t.Context(), s.sdk(t, "claims"), model, "hi"); err != nil {
		t.Errorf("%v\n%s", err, s.log)
	}
	for _, call := range server.Calls() {
		if call.AuthScheme == "Bearer" || call.Region != "" && call.Region != server.Region() {
			t.Errorf("%s: %s in %s", call.Operation, call.AuthScheme, call.Region)
		}
	}
}

// TestProxyReopensItsLog renames the log, as a rotation does.
func TestProxyReopensItsLog(t *testing.T) {
	server, dir := bedrocktest.NewServer(t), t.TempDir()
	auditKeys(t, dir)
	s := startProxy(t, dir, proxyFile(server, "callers: [{name: claims}]", "audit: {log: audit.log, keys: keys.json}"), server, nil)
	client := s.sdk(t, "claims")
	log := filepath.Join(dir, "audit.log")
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the log to be opened again", func() bool { return strings.Contains(s.log.String(), "was opened again") })
	if _, err := converse(t.Context(), client, model, "hi"); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(log); err != nil || !bytes.Contains(text, []byte(`"subject":"claims"`)) {
		t.Errorf("%s %v", text, err)
	}
}

// TestProxyWithoutItsLog removes the log of a proxy that runs: no call goes unrecorded. A
// SIGHUP makes a new log.
func TestProxyWithoutItsLog(t *testing.T) {
	server, dir := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP()), t.TempDir()
	auditKeys(t, dir)
	s := startProxy(t, dir, proxyFile(server, "callers: [{name: claims}]", "audit: {log: audit.log, keys: keys.json}"), server, nil)
	client := s.sdk(t, "claims")
	if err := os.Remove(filepath.Join(dir, "audit.log")); err != nil {
		t.Fatal(err)
	}
	if _, err := converse(t.Context(), client, model, "hi"); err == nil || !strings.Contains(err.Error(), "was removed") {
		t.Errorf("got %v", err)
	}
	if status := s.get(t, "/readyz"); status != http.StatusServiceUnavailable || slices.ContainsFunc(server.Calls(), func(c bedrocktest.Call) bool { return c.Operation == "Converse" }) {
		t.Errorf("readyz is %d, and the server has seen %d requests", status, len(server.Calls()))
	}
	if err := s.process.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the log to be opened again", func() bool { return strings.Contains(s.log.String(), "was opened again") })
	if status := s.get(t, "/readyz"); status != http.StatusOK {
		t.Errorf("readyz is %d", status)
	}
	if _, err := converse(t.Context(), client, model, "hi"); err != nil {
		t.Error(err)
	}
}

// TestProxyTellsACollector sends spans and metrics where the environment asks for them, and
// none of the prompt.
func TestProxyTellsACollector(t *testing.T) {
	var mu sync.Mutex
	got := map[string]string{}
	collector := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		got[r.URL.Path] += string(body)
		mu.Unlock()
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	defer collector.Close()
	server, dir := bedrocktest.NewServer(t), t.TempDir()
	s := startProxy(t, dir, proxyFile(server, "callers: [{name: claims}]", "unaudited: a test"), server,
		[]string{"OTEL_EXPORTER_OTLP_ENDPOINT=" + collector.URL, "OTEL_EXPORTER_OTLP_COMPRESSION=none", "OTEL_RESOURCE_ATTRIBUTES=service.namespace=insurance"})
	client := bedrockruntime.New(s.sdk(t, "claims").Options(), func(o *bedrockruntime.Options) {
		o.APIOptions = append(o.APIOptions, smithyhttp.AddHeaderValue("traceparent", "00-0102030405060708090a0b0c0d0e0f10-0102030405060708-01"))
	})
	if _, err := converse(t.Context(), client, model, "the prompt 4711"); err != nil {
		t.Fatal(err)
	}
	if code := s.stop(t, syscall.SIGTERM); code != exitOK { // the last spans are exported
		t.Errorf("%d %s", code, s.log)
	}
	mu.Lock()
	defer mu.Unlock()
	for path, want := range map[string][]string{
		"/v1/traces":  {"chat " + model, "securebedrock-proxy", "insurance", "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10"},
		"/v1/metrics": {"gen_ai.client.operation.duration", "securebedrock-proxy"},
	} {
		for _, word := range want {
			if !strings.Contains(got[path], word) {
				t.Errorf("%s has no %q in %d bytes", path, word, len(got[path]))
			}
		}
		if strings.Contains(got[path], "4711") {
			t.Errorf("%s has the prompt", path)
		}
	}
}

// TestProxyIsReadyOnlyWithCredentials starts a proxy that has none.
func TestProxyIsReadyOnlyWithCredentials(t *testing.T) {
	server, dir := bedrocktest.NewServer(t), t.TempDir()
	writeConfig(t, filepath.Join(dir, "securebedrock.yaml"), proxyFile(server, "callers: [{name: claims}]", "unaudited: a test"))
	s := launch(t, dir, serverEnv(t, dir, server, []string{"AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_EC2_METADATA_DISABLED=true"}))
	waitFor(t, "the first attempt", func() bool { return strings.Contains(s.log.String(), "the proxy is not ready") || s.over() })
	found := listens.FindStringSubmatch(s.out.String())
	if found == nil {
		t.Fatalf("the proxy does not listen:\n%s", s.log)
	}
	s.url = found[1]
	if alive, ready := s.get(t, "/healthz"), s.get(t, "/readyz"); alive != http.StatusOK || ready != http.StatusServiceUnavailable {
		t.Errorf("healthz %d, readyz %d", alive, ready)
	}
	if code := s.stop(t, syscall.SIGINT); code != exitOK {
		t.Errorf("%d %s", code, s.log)
	}
}

// TestProxyIsNotReadyWithoutRecords takes the log's disk away.
func TestProxyIsNotReadyWithoutRecords(t *testing.T) {
	server, dir := bedrocktest.NewServer(t, bedrocktest.WithPlainHTTP()), t.TempDir()
	auditKeys(t, dir)
	// The log may grow to 64 KiB: a disk that is full.
	s := startProxy(t, dir, proxyFile(server, "callers: [{name: claims}]", "audit: {log: audit.log, keys: keys.json}"), server, []string{fileLimit + "=65536"})
	client := s.sdk(t, "claims")
	var err error
	for range 200 {
		if _, err = converse(t.Context(), client, model, "hi"); err != nil {
			break
		}
	}
	if err == nil {
		t.Fatal("a call went without its record")
	}
	if status := s.get(t, "/readyz"); status != http.StatusServiceUnavailable {
		t.Errorf("readyz is %d after %v", status, err)
	}
	if status := s.get(t, "/healthz"); status != http.StatusOK {
		t.Errorf("healthz is %d", status)
	}
}

func shortDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sb") //nolint:usetesting // the path of TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// overSocket is an HTTP client whose every connection goes to a socket.
func overSocket(path string) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", path)
	}}}
}
