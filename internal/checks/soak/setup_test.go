package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"crypto/tls"
	"crypto/x509"
	"net/http"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// serverProcess is an environment variable that makes this binary a server. A server in
// the client's process would add its memory and descriptors to the client's figures.
const serverProcess = "SECUREBEDROCK_SOAK_SERVER"

func TestMain(m *testing.M) {
	if how := os.Getenv(serverProcess); how != "" {
		if err := serve(how); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	flag.Parse()
	os.Exit(m.Run())
}

// hello is the line in which the server says where it listens.
type hello struct {
	URL, Key, Secret, Token string
	CA                      []byte
}

// serve runs until its standard input ends. how: "http1", "faults", both or
// neither.
func serve(how string) error {
	var options []bedrocktest.Option
	if strings.Contains(how, "http1") {
		options = append(options, bedrocktest.WithHTTP1())
	}
	server, err := bedrocktest.Start(options...)
	if err != nil {
		return err
	}
	defer server.Close()
	if strings.Contains(how, "faults") {
		random := rand.New(rand.NewPCG(1, 2))
		for _, op := range operations() {
			server.Fail(op, script(random, 150_000)...)
		}
	}
	c := server.Credentials()
	if err := json.NewEncoder(os.Stdout).Encode(hello{server.URL(), c.AccessKeyID, c.SecretAccessKey, c.SessionToken, server.CertificatePEM()}); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func operations() []string {
	return []string{"Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream", "ApplyGuardrail", "CountTokens"}
}

// script lets four of five requests pass. Throttles are few: each throttle slows its
// model for seconds, and the callers would only wait.
func script(random *rand.Rand, n int) []bedrocktest.Fault {
	faults := []func() bedrocktest.Fault{
		func() bedrocktest.Fault { return bedrocktest.ServerError(500, 1) },
		func() bedrocktest.Fault { return bedrocktest.ServerError(503, 1) },
		func() bedrocktest.Fault { return bedrocktest.Error(408, "ModelTimeoutException", "too slow") },
		func() bedrocktest.Fault { return bedrocktest.Error(400, "ValidationException", "no") },
		bedrocktest.Drop,
		func() bedrocktest.Fault { return bedrocktest.DropStream(2) },
		func() bedrocktest.Fault { return bedrocktest.Truncate(2) },
		func() bedrocktest.Fault { return bedrocktest.TruncateMidFrame(1) },
		func() bedrocktest.Fault { return bedrocktest.Exception(1, "modelStreamErrorException", "lost") },
		func() bedrocktest.Fault { return bedrocktest.StallHeadersFor(200 * time.Millisecond) },
		bedrocktest.StallHeaders,
		func() bedrocktest.Fault { return bedrocktest.StallStream(1) },
	}
	all := make([]bedrocktest.Fault, n)
	for i := range all {
		switch {
		case random.IntN(5) != 0:
		case random.IntN(200) == 0:
			all[i] = bedrocktest.Throttle(1)
		default:
			all[i] = faults[random.IntN(len(faults))]()
		}
	}
	return all
}

// bedrock is a server in a process of its own. The proxy before the server is in this
// process.
type bedrock struct {
	hello
	proxy *toxiproxy.Proxy
}

func start(t *testing.T, how string) *bedrock {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), serverProcess+"="+how+" server")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close(); cmd.Wait() })
	b := new(bedrock)
	line, err := bufio.NewReader(out).ReadBytes('\n')
	if err == nil {
		err = json.Unmarshal(line, &b.hello)
	}
	if err != nil {
		t.Fatalf("the server does not start: %v", err)
	}
	api := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.Nop())
	b.proxy = toxiproxy.NewProxy(api, "bedrock", "127.0.0.1:0", strings.TrimPrefix(b.URL, "https://"))
	if err := b.proxy.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.proxy.Stop)
	return b
}

// toxic adds a fault to the network, until the fault is removed.
func (b *bedrock) toxic(t *testing.T, kind, stream string, attributes map[string]any) (remove func()) {
	t.Helper()
	text, err := json.Marshal(map[string]any{"name": kind + stream, "type": kind, "stream": stream, "toxicity": 1, "attributes": attributes})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.proxy.Toxics.AddToxicJson(strings.NewReader(string(text))); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := b.proxy.Toxics.RemoveToxic(context.Background(), kind+stream); err != nil {
			t.Error(err)
		}
	}
}

// client makes a client that calls through the proxy and records its calls.
func (b *bedrock) client(t *testing.T, r *records, timeouts securebedrock.Timeouts) *securebedrock.Client {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(b.CA)
	c, err := securebedrock.NewFromConfig(aws.Config{
		Credentials: credentials.NewStaticCredentialsProvider(b.Key, b.Secret, b.Token),
		HTTPClient: awshttp.NewBuildableClient().WithTransportOptions(func(tr *http.Transport) {
			tr.TLSClientConfig = &tls.Config{RootCAs: roots}
		}),
	}, securebedrock.Options{
		Region: "us-east-1", Endpoint: securebedrock.Endpoint{URL: "https://" + b.proxy.Listen}, Timeouts: timeouts,
		Guardrail: securebedrock.Guardrail{ID: bedrocktest.DefaultGuardrailID, Version: "1"}, Middleware: []securebedrock.Middleware{r.middleware},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// records counts the Outcomes of each call.
type records struct {
	mu                 sync.Mutex
	calls              map[string]int // Outcomes by Call.ID
	attempts, throttle int
	waited             time.Duration
}

func (r *records) middleware(next securebedrock.Handler) securebedrock.Handler {
	return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
		r.mu.Lock()
		if r.calls == nil {
			r.calls = make(map[string]int)
		}
		r.calls[call.ID] += 0
		r.mu.Unlock()
		res, err := next(ctx, call)
		res.OnDone(func(o securebedrock.Outcome) {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.calls[call.ID]++
			r.attempts += o.Attempts
			r.throttle += o.Throttled
			r.waited += o.Wait
		})
		return res, err
	}
}

// complete waits until each call has an Outcome. It reports how many calls do not have
// exactly one.
func (r *records) complete() (calls, wrong int) {
	for range 400 {
		r.mu.Lock()
		calls, wrong = len(r.calls), 0
		for _, n := range r.calls {
			if n != 1 {
				wrong++
			}
		}
		r.mu.Unlock()
		if wrong == 0 {
			break
		}
		time.Sleep(25 * time.Millisecond)
	}
	return calls, wrong
}

// usage is what a process holds.
type usage struct {
	goroutines, descriptors int
	heap                    uint64
}

func used(t *testing.T) usage {
	t.Helper()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("descriptors are counted in /proc/self/fd, which this system has not")
	}
	return usage{runtime.NumGoroutine(), len(fds), m.HeapAlloc}
}

// backTo fails unless the process releases what it has taken since before.
func backTo(t *testing.T, before usage) usage {
	t.Helper()
	var now usage
	for range 200 {
		now = used(t)
		if now.goroutines <= before.goroutines+2 && now.descriptors <= before.descriptors+2 && now.heap <= before.heap+16<<20 {
			return now
		}
		time.Sleep(50 * time.Millisecond)
	}
	buf := make([]byte, 1<<20)
	t.Errorf("before %+v, after %+v; goroutines:\n%s", before, now, buf[:runtime.Stack(buf, true)])
	return now
}
