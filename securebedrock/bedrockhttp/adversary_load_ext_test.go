package bedrockhttp_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrockhttp"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// A body of a gibibyte is refused after its head where its length is said, and at the
// bound where it comes in chunks. The door keeps none of it.
func TestGibibyteBodies(t *testing.T) {
	d := newAttackDoor(t)
	for _, row := range []struct {
		name string
		sign func(*attackDoor, *rawRequest)
		head func(*rawRequest)
		want []string
		most int64 // bytes that the door takes, with what the network's buffers hold
	}{
		{"its length is said", at(0), func(r *rawRequest) { r.set("Content-Length", fmt.Sprint(1<<30)) }, []string{"413 RequestEntityTooLargeException", "413 ValidationException"}, 16 << 20},
		{"in chunks", at(0), func(r *rawRequest) { r.drop("Content-Length"); r.set("Transfer-Encoding", "chunked") }, []string{"413 RequestEntityTooLargeException", "413 ValidationException"}, 16 << 20},
		{"in chunks, without a key", unsigned, func(r *rawRequest) { r.drop("Content-Length"); r.set("Transfer-Encoding", "chunked") }, []string{"403 MissingAuthenticationTokenException"}, 16 << 20},
		{"its length is said, without a key", unsigned, func(r *rawRequest) { r.set("Content-Length", fmt.Sprint(1<<30)) }, []string{"403 MissingAuthenticationTokenException"}, 16 << 20},
	} {
		t.Run(row.name, func(t *testing.T) {
			r := d.request(t, "InvokeModel", "hello")
			row.sign(d, r)
			row.head(r)
			chunks := strings.Contains(string(r.head()), "chunked")
			conn := d.dial(t)
			var sent atomic.Int64
			var wg sync.WaitGroup
			wg.Go(func() {
				block := []byte(strings.Repeat("x", 64<<10))
				if chunks {
					block = append(append([]byte("10000\r\n"), block...), "\r\n"...)
				}
				if _, err := conn.Write(r.head()); err != nil {
					return
				}
				for sent.Load() < 1<<30 {
					n, err := conn.Write(block)
					sent.Add(int64(n))
					if err != nil {
						return
					}
				}
			})
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			answer := readAnswer(bufio.NewReader(conn), "POST")
			runtime.ReadMemStats(&after)
			// A reset may overtake the answer where the caller goes on sending.
			if got := answer.verdict(); got != row.want[0] && got != row.want[len(row.want)-1] && got != "closed" {
				t.Errorf("%s %s", got, answer.body)
			}
			conn.SetDeadline(time.Now().Add(10 * time.Second))
			wg.Wait()
			conn.Close()
			if n := sent.Load(); n > row.most {
				t.Errorf("the door took %d bytes", n)
			}
			if grown := int64(after.TotalAlloc - before.TotalAlloc); grown > 32<<20 {
				t.Errorf("%d bytes were allocated for the body", grown)
			}
		})
	}
	if n := d.modelCalls(); n != 0 {
		t.Errorf("%d requests arrived upstream", n)
	}
	eventually(t, "the connections are closed", func() bool { return d.conns.Load() == 0 && d.handlers.Load() == 0 })
}

// Headers and bodies that come a byte at a time end at the door's bounds.
func TestSlowRequestsEnd(t *testing.T) {
	d := newAttackDoor(t)
	for _, row := range []struct {
		name  string
		from  func(*rawRequest) int // where the request begins to be slow
		every time.Duration
		sign  func(*attackDoor, *rawRequest)
		want  []string
	}{
		{"the headers, a byte each tenth of a second", func(*rawRequest) int { return 10 }, 100 * time.Millisecond, at(0), []string{"closed", "400", "408"}},
		{"the body, a byte a second", func(r *rawRequest) int { return len(r.head()) + 5 }, time.Second, at(0), []string{"closed", "408 RequestTimeoutException", "400 RequestTimeoutException"}},
		{"the body of a caller without a key", func(r *rawRequest) int { return len(r.head()) }, 100 * time.Millisecond, unsigned, []string{"403 MissingAuthenticationTokenException"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			before := d.modelCalls()
			r := d.request(t, "Converse", "a slow prompt of "+strings.Repeat("many words ", 1000))
			row.sign(d, r)
			raw, from := r.bytes(), row.from(r)
			conn := d.dial(t)
			stop := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				if _, err := conn.Write(raw[:from]); err != nil {
					return
				}
				for i := from; i < len(raw); i++ {
					select {
					case <-stop:
						return
					case <-time.After(row.every):
					}
					if _, err := conn.Write(raw[i : i+1]); err != nil {
						return
					}
				}
			})
			answer := readAnswer(bufio.NewReader(conn), "POST")
			close(stop)
			wg.Wait()
			conn.Close()
			got := answer.verdict()
			found := false
			for _, want := range row.want {
				found = found || got == want
			}
			if !found {
				t.Errorf("%s %s %v", got, answer.body, answer.err)
			}
			if n := d.modelCalls(); n != before {
				t.Error("the slow request arrived upstream")
			}
		})
	}
	eventually(t, "the connections are closed", func() bool { return d.conns.Load() == 0 && d.handlers.Load() == 0 })
}

// Two thousand connections that say nothing, or half a head, keep nobody out, and are
// closed by the server's bounds.
func TestIdleConnectionsKeepNobodyOut(t *testing.T) {
	d := newAttackDoor(t)
	before := runtime.NumGoroutine()
	const idle = 2000
	conns := make([]net.Conn, 0, idle)
	for i := range idle {
		conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", d.addr)
		if err != nil {
			t.Skipf("%d connections are all that the system gives: %v", i, err)
		}
		defer conn.Close()
		if i%2 == 1 {
			if _, err := io.WriteString(conn, "POST /model/x/converse HTTP/1.1\r\nHost: localhost\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		conns = append(conns, conn)
	}
	for range 20 {
		if got := d.send(t, "POST", d.signed(t, "Converse", "hello").bytes()); got.status != 200 {
			t.Fatalf("beside %d idle connections: %s %s", len(conns), got.verdict(), got.body)
		}
	}
	eventually(t, "the idle connections are closed", func() bool { return d.conns.Load() == 0 })
	eventually(t, "their goroutines end", func() bool { return runtime.NumGoroutine() <= before+10 })
}

// More requests at once than MaxInFlight are told to come again, before a key's body is
// read, and nothing of them arrives upstream.
func TestMaxInFlight(t *testing.T) {
	d := newAttackDoor(t, func(_ *securebedrock.Options, h *bedrockhttp.HandlerOptions) {
		h.MaxInFlight, h.BodyTimeout = 4, 20*time.Second
	})
	release := make(chan struct{})
	d.upstream.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		<-release
		return bedrocktest.Text("late"), nil
	})
	var wg sync.WaitGroup
	answers := make(chan attackAnswer, 4)
	for i := range 4 {
		raw := d.signed(t, "Converse", fmt.Sprintf("prompt %d", i)).bytes()
		wg.Go(func() { answers <- d.send(t, "POST", raw) })
	}
	eventually(t, "four requests are upstream", func() bool { return d.modelCalls() == 4 })
	got := d.send(t, "POST", d.signed(t, "Converse", "one too many").bytes())
	if got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("the fifth: %s %v %s", got.verdict(), got.header, got.body)
	}
	close(release)
	wg.Wait()
	close(answers)
	for a := range answers {
		if a.status != 200 {
			t.Errorf("one of the four: %s %s", a.verdict(), a.body)
		}
	}
	if err := d.upstreamSaw("one too many"); err != nil {
		t.Error(err)
	}
	d.upstream.Reply(nil)
	if got := d.send(t, "POST", d.signed(t, "Converse", "hello").bytes()); got.status != 200 {
		t.Errorf("afterwards: %s %s", got.verdict(), got.body)
	}
}
