package securebedrock_test

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// freezer forwards TCP connections to a server until they are frozen: then nothing
// is forwarded any more, nor closed, as when a NAT has forgotten them.
type freezer struct {
	l      net.Listener
	server string

	mu     sync.Mutex
	frozen chan struct{} // of the connections so far
	dials  int
	conns  []net.Conn
}

func newFreezer(t *testing.T, server *bedrocktest.Server) *freezer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &freezer{l: l, server: strings.TrimPrefix(server.URL(), "https://"), frozen: make(chan struct{})}
	t.Cleanup(func() {
		l.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, c := range f.conns {
			c.Close()
		}
	})
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", f.server)
			if err != nil {
				in.Close()
				continue
			}
			f.mu.Lock()
			frozen := f.frozen
			f.dials++
			f.conns = append(f.conns, in, out)
			f.mu.Unlock()
			go forward(in, out, frozen)
			go forward(out, in, frozen)
		}
	}()
	return f
}

func forward(to, from net.Conn, frozen chan struct{}) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		select {
		case <-frozen:
			io.Copy(io.Discard, from) // the system still takes what is sent
			return
		default:
		}
		to.Write(buf[:n])
		if err != nil {
			to.Close()
			return
		}
	}
}

// freeze freezes the connections that there are; later ones live.
func (f *freezer) freeze() {
	f.mu.Lock()
	defer f.mu.Unlock()
	close(f.frozen)
	f.frozen = make(chan struct{})
}

func (f *freezer) count() int { f.mu.Lock(); defer f.mu.Unlock(); return f.dials }

// A connection whose peer has gone silent serves no second attempt and no second
// call. Over HTTP/2 its death shows, and the call is sent again; over HTTP/1.1 it
// looks as a silent model does, so that the call is not.
func TestFrozenConnection(t *testing.T) {
	for _, row := range []struct {
		name   string
		http1  bool
		resend bool
		read   time.Duration
		works  bool
	}{
		{"HTTP/2, Read 1 s", false, false, time.Second, true},
		{"HTTP/2, Read 3 s", false, false, 3 * time.Second, true},
		{"HTTP/1.1", true, false, time.Second, false},
		{"HTTP/1.1 with ResendAfterReadTimeout", true, true, time.Second, true},
	} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, stream %v", row.name, stream), func(t *testing.T) {
				t.Parallel()
				var options []bedrocktest.Option
				if row.http1 {
					options = append(options, bedrocktest.WithHTTP1())
				}
				server := bedrocktest.NewServer(t, options...)
				f := newFreezer(t, server)
				c := newClient(t, server, func(o *opts) {
					o.Endpoint.URL, o.Timeouts.Read = "https://"+f.l.Addr().String(), row.read
					o.Retry.ResendAfterReadTimeout = row.resend
				})
				call := func() error {
					if !stream {
						_, err := c.Converse(t.Context(), converse("hello"))
						return err
					}
					out, err := c.ConverseStream(t.Context(), converseStream("hello"))
					if err != nil {
						return err
					}
					defer out.GetStream().Close()
					_, err = drain(out.GetStream())
					return err
				}
				if err := call(); err != nil {
					t.Fatal(err)
				}
				before := f.count()
				f.freeze()
				start := time.Now()
				err := call()
				if d := time.Since(start); d > 2*row.read+2*time.Second {
					t.Errorf("it took %v", d)
				}
				switch {
				case row.works && err != nil:
					t.Errorf("no second attempt on a new connection: %v", err)
				case !row.works && !errors.Is(err, securebedrock.ErrReadTimeout):
					t.Errorf("got %v, want a read timeout", err)
				}
				if err := call(); err != nil {
					t.Errorf("the next call: %v", err)
				}
				if n := f.count(); n <= before {
					t.Errorf("no new connection was made: %d", n)
				}
			})
		}
	}
}

// What was wholly sent on a connection that lives is not sent again where each send
// may be paid for.
func TestReadTimeoutIsNotSentAgain(t *testing.T) {
	type of = func(t *testing.T, c *securebedrock.Client) error
	unary := func(t *testing.T, c *securebedrock.Client) error {
		_, err := c.Converse(t.Context(), converse("hello"))
		return err
	}
	for _, row := range []struct {
		name, op string
		fault    bedrocktest.Fault
		resend   bool
		call     of
		sends    int
	}{
		{"Converse", "Converse", bedrocktest.StallHeaders(), false, unary, 1},
		{"Converse, half of whose answer came", "Converse", bedrocktest.StallStream(0), false, unary, 1},
		{"Converse with ResendAfterReadTimeout", "Converse", bedrocktest.StallHeaders(), true, unary, 2},
		{"ConverseStream", "ConverseStream", bedrocktest.StallHeaders(), false, func(t *testing.T, c *securebedrock.Client) error {
			_, err := c.ConverseStream(t.Context(), converseStream("hello"))
			return err
		}, 1},
		{"InvokeModel through Runtime", "InvokeModel", bedrocktest.StallHeaders(), false, func(t *testing.T, c *securebedrock.Client) error {
			_, err := c.Runtime().InvokeModel(t.Context(), &bedrockruntime.InvokeModelInput{ModelId: aws.String(haiku), Body: invokeBody("hello")})
			return err
		}, 1},
		{"ApplyGuardrail, which is paid for too", "ApplyGuardrail", bedrocktest.StallHeaders(), false, func(t *testing.T, c *securebedrock.Client) error {
			_, err := c.ApplyGuardrail(t.Context(), &bedrockruntime.ApplyGuardrailInput{
				GuardrailIdentifier: aws.String(bedrocktest.DefaultGuardrailID), GuardrailVersion: aws.String("1"), Source: types.GuardrailContentSourceInput,
				Content: []types.GuardrailContentBlock{&types.GuardrailContentBlockMemberText{Value: types.GuardrailTextBlock{Text: aws.String("hello")}}}})
			return err
		}, 1},
		{"CountTokens, which is free", "CountTokens", bedrocktest.StallHeaders(), false, func(t *testing.T, c *securebedrock.Client) error {
			_, err := c.CountTokens(t.Context(), &bedrockruntime.CountTokensInput{ModelId: aws.String(haiku),
				Input: &types.CountTokensInputMemberConverse{Value: types.ConverseTokensRequest{Messages: userSays("hello")}}})
			return err
		}, 2},
	} {
		for _, http1 := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, HTTP/1.1 %v", row.name, http1), func(t *testing.T) {
				t.Parallel()
				var options []bedrocktest.Option
				if http1 {
					options = append(options, bedrocktest.WithHTTP1())
				}
				server := bedrocktest.NewServer(t, options...)
				server.Fail(row.op, row.fault)
				c := newClient(t, server, func(o *opts) {
					o.Timeouts.Read, o.Retry.ResendAfterReadTimeout = time.Second, row.resend
				})
				err := row.call(t, c)
				if n := len(calls(server, row.op)); n != row.sends {
					t.Errorf("sent %d times, want %d: %v", n, row.sends, err)
				}
				if row.sends == 1 && !errors.Is(err, securebedrock.ErrReadTimeout) || row.sends == 2 && err != nil {
					t.Errorf("got %v", err)
				}
			})
		}
	}
}

// A silent model costs the other exchanges of its HTTP/2 connection nothing.
func TestSilentModelLeavesItsConnection(t *testing.T) {
	server := bedrocktest.NewServer(t)
	server.Fail("ConverseStream", bedrocktest.StallHeadersFor(1200*time.Millisecond))
	server.Fail("Converse", bedrocktest.StallHeaders())
	f := newFreezer(t, server)
	c := newClient(t, server, func(o *opts) {
		o.Endpoint.URL, o.Timeouts.Read = "https://"+f.l.Addr().String(), 2*time.Second
	})
	if err := c.Warm(t.Context()); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := c.Converse(t.Context(), converse("hello")); !errors.Is(err, securebedrock.ErrReadTimeout) {
			t.Errorf("got %v", err)
		}
	})
	time.Sleep(time.Second)
	wg.Go(func() {
		out, err := c.ConverseStream(t.Context(), converseStream("hello"))
		if err != nil {
			t.Errorf("the stream beside it: %v", err)
			return
		}
		defer out.GetStream().Close()
		if _, err := drain(out.GetStream()); err != nil {
			t.Errorf("the stream beside it: %v", err)
		}
	})
	wg.Wait()
	if n := f.count(); n != 1 {
		t.Errorf("%d connections were made, want one", n)
	}
}
