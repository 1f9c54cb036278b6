package securebedrock_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/eventstream"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
)

// The benchmarks of package bedrockhttp stand here, because only this package's tests
// can take the network from a client. client=sdk is the plain SDK that calls the
// server itself. client=ours goes through the door.

// guardedClient makes the guarded side of benchSides.
func guardedClient(b *testing.B, cfg aws.Config, canned aws.HTTPClient) *securebedrock.Client {
	b.Helper()
	for _, side := range benchSides() {
		if !side.full {
			c, done := side.make(b, cfg, canned)
			b.Cleanup(done)
			return c.(*securebedrock.Client)
		}
	}
	b.Fatal("no side is guarded")
	return nil
}

// kept is an HTTP client that keeps the last request and answers nothing.
type kept struct {
	request *http.Request
	body    []byte
}

func (k *kept) Do(r *http.Request) (*http.Response, error) {
	k.request = r
	var err error
	if k.body, err = io.ReadAll(r.Body); err == nil {
		err = errKept
	}
	return nil, err
}

var errKept = errors.New("the request is kept")

// preparedRequest returns a function that makes the SDK's signed request for a call
// anew, at no cost but a copy's.
func preparedRequest(b *testing.B, call func(*bedrockruntime.Client) error) func() *http.Request {
	b.Helper()
	k := new(kept)
	cfg := benchConfig()
	cfg.HTTPClient, cfg.Retryer = k, func() aws.Retryer { return aws.NopRetryer{} }
	if err := call(bedrockruntime.NewFromConfig(cfg)); !errors.Is(err, errKept) {
		b.Fatal(err)
	}
	return func() *http.Request {
		r := k.request.Clone(context.Background())
		r.Body = io.NopCloser(bytes.NewReader(k.body))
		return r
	}
}

// A RoundTrip of a request that is signed and encoded, beside the plain client's call,
// which signs and encodes: what Transport does for one call.
func BenchmarkTransport(b *testing.B) {
	answer := cannedHTTP(func() (string, io.ReadCloser) {
		return "application/json", io.NopCloser(strings.NewReader(benchAnswer))
	})
	for _, size := range []int{1 << 10, 100 << 10} {
		prompt := strings.Repeat("x", size)
		name := fmt.Sprintf("net=none/prompt=%dKB/client=", size>>10)
		b.Run(name+"sdk", func(b *testing.B) {
			plain := benchSides()[0]
			c, done := plain.make(b, benchConfig(), answer)
			defer done()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Converse(context.Background(), plain.input(benchModel, prompt)); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(name+"ours", func(b *testing.B) {
			transport := bedrockhttp.Transport(guardedClient(b, benchConfig(), answer))
			request := preparedRequest(b, func(c *bedrockruntime.Client) error {
				_, err := c.Converse(context.Background(), benchSides()[1].input(benchModel, prompt))
				return err
			})
			b.ReportAllocs()
			for b.Loop() {
				resp, err := transport.RoundTrip(request())
				if err != nil {
					b.Fatal(err)
				}
				if n, err := io.Copy(io.Discard, resp.Body); err != nil || n == 0 || resp.StatusCode != http.StatusOK {
					b.Fatal(resp.Status, n, err)
				}
				resp.Body.Close()
			}
		})
	}
}

// The same for a stream of 1,000 events, which the plain client decodes.
func BenchmarkTransportStream(b *testing.B) {
	events := benchStream(1000)
	answer := cannedHTTP(func() (string, io.ReadCloser) {
		return "application/vnd.amazon.eventstream", io.NopCloser(bytes.NewReader(events))
	})
	b.Run("net=none/events=1000/client=sdk", func(b *testing.B) {
		plain := benchSides()[0]
		c, done := plain.make(b, benchConfig(), answer)
		defer done()
		b.ReportAllocs()
		for b.Loop() {
			readBenchStream(b, c, plain)
		}
	})
	b.Run("net=none/events=1000/client=ours", func(b *testing.B) {
		transport := bedrockhttp.Transport(guardedClient(b, benchConfig(), answer))
		request := preparedRequest(b, func(c *bedrockruntime.Client) error {
			_, err := c.ConverseStream(context.Background(), benchSides()[1].streamInput())
			return err
		})
		buf := make([]byte, 32<<10)
		b.ReportAllocs()
		for b.Loop() {
			resp, err := transport.RoundTrip(request())
			if err != nil {
				b.Fatal(err)
			}
			n, reads := 0, 0
			for {
				m, err := resp.Body.Read(buf)
				n, reads = n+m, reads+1
				if err == io.EOF {
					break
				}
				if err != nil {
					b.Fatal(err)
				}
			}
			resp.Body.Close()
			if n < len(events)/2 || reads < 1000 {
				b.Fatal(n, "bytes in", reads, "reads")
			}
		}
	})
}

func readBenchStream(b *testing.B, c benchAPI, side benchSide) {
	b.Helper()
	out, err := c.ConverseStream(context.Background(), side.streamInput())
	if err != nil {
		b.Fatal(err)
	}
	n := 0
	for range out.GetStream().Events() {
		n++
	}
	if err := errors.Join(out.GetStream().Err(), out.GetStream().Close()); err != nil || n != 1000 {
		b.Fatal(n, err)
	}
}

// benchDoor serves a Handler before the server of cfg as the sidecar does: over
// HTTP/1.1 and h2c on loopback, with keys. It returns a configuration for the caller's
// own SDK.
func benchDoor(b *testing.B, c *securebedrock.Client) aws.Config {
	b.Helper()
	key := bedrockhttp.NewKey("bench")
	keys, err := bedrockhttp.NewKeys(key)
	if err != nil {
		b.Fatal(err)
	}
	srv := &http.Server{
		Handler: bedrockhttp.Handler(c, bedrockhttp.HandlerOptions{Keys: keys, MaxInFlight: 4096}), ReadHeaderTimeout: 10 * time.Second,
		Protocols: new(http.Protocols),
	}
	srv.Protocols.SetHTTP1(true)
	srv.Protocols.SetUnencryptedHTTP2(true)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = srv.Serve(listener) }()
	b.Cleanup(func() { srv.Close(); <-done })
	return aws.Config{
		Region: "us-east-1", BaseEndpoint: aws.String("http://" + listener.Addr().String()),
		Credentials: credentials.NewStaticCredentialsProvider(key.AccessKeyID, key.SecretAccessKey, ""),
		HTTPClient:  awshttp.NewBuildableClient(),
	}
}

// doorSide is a side of a benchmark over the network: the plain SDK that calls the
// server, or that calls the door before the server.
func doorSide(b *testing.B, client string, server aws.Config) (benchAPI, benchSide) {
	b.Helper()
	plain := benchSides()[0]
	if client == "sdk" {
		return bedrockruntime.NewFromConfig(server), plain
	}
	return bedrockruntime.NewFromConfig(benchDoor(b, guardedClient(b, server, nil))), benchSides()[1]
}

// What the sidecar adds to one caller's calls: calls one after the other, over TLS to
// the server, and over HTTP/1.1 on loopback to the door and then over TLS to the
// server.
func BenchmarkDoorUnary(b *testing.B) {
	for _, size := range []int{1 << 10, 100 << 10} {
		prompt := strings.Repeat("x", size)
		for _, client := range []string{"sdk", "ours"} {
			b.Run(fmt.Sprintf("net=h2/prompt=%dKB/client=%s", size>>10, client), func(b *testing.B) {
				cfg, _ := benchServer(b, "h2", 0)
				c, side := doorSide(b, client, cfg)
				var took []time.Duration
				for b.Loop() {
					start := time.Now()
					if _, err := c.Converse(context.Background(), side.input(benchModel, prompt)); err != nil {
						b.Fatal(err)
					}
					took = append(took, time.Since(start))
				}
				slices.Sort(took)
				b.ReportMetric(took[len(took)/2].Seconds(), "p50-sec/op")
			})
		}
	}
}

// Many callers at once, of a server that takes 20 ms to answer.
func BenchmarkDoorCallers(b *testing.B) {
	for _, proto := range []string{"h1", "h2"} {
		for _, callers := range []int{1, 256} {
			for _, client := range []string{"sdk", "ours"} {
				b.Run(fmt.Sprintf("net=%s/callers=%d/client=%s", proto, callers, client), func(b *testing.B) {
					cfg, _ := benchServer(b, proto, 20*time.Millisecond)
					c, side := doorSide(b, client, cfg)
					callAll(b, callers, func() error {
						_, err := c.Converse(context.Background(), side.input(benchModel, "hello"))
						return err
					})
				})
			}
		}
	}
}

// A stream of 1,000 events through the sidecar, read to its end.
func BenchmarkDoorStream(b *testing.B) {
	for _, client := range []string{"sdk", "ours"} {
		b.Run("net=h2/events=1000/client="+client, func(b *testing.B) {
			cfg, _ := benchServer(b, "h2", 0)
			c, side := doorSide(b, client, cfg)
			for b.Loop() {
				readBenchStream(b, c, side)
			}
		})
	}
}

// What 1,000 open streams hold in the sidecar's memory, heap and stacks. The callers are
// bare connections, which hold nothing, and the upstream is canned. client=sdk is what
// the plain SDK's own streams hold.
func BenchmarkDoorOpenStreams(b *testing.B) {
	const streams = 1000
	first := benchStream(1000)[:4096]
	release := make(chan struct{})
	defer close(release)
	canned := cannedHTTP(func() (string, io.ReadCloser) {
		return "application/vnd.amazon.eventstream", &stalledBody{r: bytes.NewReader(first), release: release}
	})
	b.Run("net=h1/client=sdk", func(b *testing.B) {
		plain := benchSides()[0]
		c, done := plain.make(b, benchConfig(), canned)
		defer done()
		for b.Loop() {
			before := inUse()
			var open []*bedrockruntime.ConverseStreamEventStream
			for range streams {
				out, err := c.ConverseStream(context.Background(), plain.streamInput())
				if err != nil {
					b.Fatal(err)
				}
				<-out.GetStream().Events()
				open = append(open, out.GetStream())
			}
			b.ReportMetric(float64(inUse()-before)/streams, "B/stream")
			for _, s := range open {
				s.Close()
			}
		}
	})
	b.Run("net=h1/client=ours", func(b *testing.B) {
		door := benchDoor(b, guardedClient(b, benchConfig(), canned))
		k := new(kept)
		caller := door.Copy()
		caller.HTTPClient, caller.Retryer = k, func() aws.Retryer { return aws.NopRetryer{} }
		sdk := bedrockruntime.NewFromConfig(caller)
		for b.Loop() {
			before := inUse()
			var open []net.Conn
			decoder := eventstream.NewDecoder()
			for range streams {
				if _, err := sdk.ConverseStream(context.Background(), benchSides()[1].streamInput()); !errors.Is(err, errKept) {
					b.Fatal(err)
				}
				conn, err := net.Dial("tcp", strings.TrimPrefix(*door.BaseEndpoint, "http://"))
				if err != nil {
					b.Fatal(err)
				}
				open = append(open, conn)
				k.request.Body = io.NopCloser(bytes.NewReader(k.body))
				if err := k.request.Write(conn); err != nil {
					b.Fatal(err)
				}
				firstEvent(b, conn, decoder)
			}
			b.ReportMetric(float64(inUse()-before)/streams, "B/stream")
			for _, conn := range open {
				conn.Close()
			}
		}
	})
}

// firstEvent reads a connection up to the end of the first chunk, without memory that
// stays.
func firstEvent(b *testing.B, conn net.Conn, decoder *eventstream.Decoder) {
	b.Helper()
	var head []byte
	one := make([]byte, 1)
	for !bytes.HasSuffix(head, []byte("\r\n\r\n")) {
		if _, err := conn.Read(one); err != nil {
			b.Fatal(err)
		}
		head = append(head, one[0])
	}
	if !bytes.HasPrefix(head, []byte("HTTP/1.1 200")) {
		b.Fatalf("%s", head)
	}
	for one[0] = 0; one[0] != '\n'; { // the chunk's size
		if _, err := conn.Read(one); err != nil {
			b.Fatal(err)
		}
	}
	if _, err := decoder.Decode(conn, nil); err != nil {
		b.Fatal(err)
	}
}
