package redisbudget_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/redis/go-redis/v9"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware/redisbudget"
)

// program finds redis-server, and installs the distribution's package where it can.
func program(t *testing.T) string {
	t.Helper()
	if path, err := exec.LookPath("redis-server"); err == nil {
		return path
	}
	apt, err := exec.LookPath("apt-get")
	if err != nil || os.Getuid() != 0 {
		t.Fatal("redis-server is not installed: install the package redis-server, or run as root where apt-get is")
	}
	for _, args := range [][]string{{"update", "-q"}, {"install", "-y", "-q", "--no-install-recommends", "redis-server"}} {
		cmd := exec.Command(apt, args...)
		cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("apt-get %v: %v\n%s", args, err, out)
		}
	}
	path, err := exec.LookPath("redis-server")
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// start runs a redis-server on a loopback port and returns how to reach and end it.
func start(t *testing.T) (addr string, stop func()) {
	t.Helper()
	path := program(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	l.Close()
	cmd := exec.Command(path, "--bind", "127.0.0.1", "--port", port, "--save", "", "--appendonly", "no", "--dir", t.TempDir())
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	stop = func() { once.Do(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) }
	t.Cleanup(stop)
	c := client(t, addr)
	for deadline := time.Now().Add(20 * time.Second); c.Ping(t.Context()).Err() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not answer")
		}
	}
	return addr, stop
}

func client(t *testing.T, addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1})
	t.Cleanup(func() { c.Close() })
	return c
}

func store(t *testing.T, addr string) *redisbudget.Store {
	t.Helper()
	s, err := redisbudget.New(client(t, addr), redisbudget.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const long = 100 * 365 * 24 * time.Hour // a window that does not end in a test

func TestManyClientsShareOneBudget(t *testing.T) {
	addr, _ := start(t)
	stores := []*redisbudget.Store{store(t, addr), store(t, addr)}
	var granted atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 50 {
				w, ok, err := stores[i%2].Reserve(t.Context(), "k", long, middleware.Amount{Tokens: 1000}, middleware.Amount{Tokens: 7, Cost: 3})
				if err != nil || !w.Ends.After(time.Now()) {
					t.Error(w, err)
				}
				if ok {
					granted.Add(7)
				}
			}
		})
	}
	wg.Wait()
	if granted.Load() != 994 {
		t.Errorf("%d tokens were granted of 1000, by sevens", granted.Load())
	}
	if _, ok, err := stores[0].Reserve(t.Context(), "other", long, middleware.Amount{Cost: 5}, middleware.Amount{Cost: 6}); ok || err != nil {
		t.Errorf("a cost over the limit: %t, %v", ok, err)
	}
	if _, ok, err := stores[0].Reserve(t.Context(), "other", long, middleware.Amount{Cost: 6}, middleware.Amount{Cost: 6}); !ok || err != nil {
		t.Errorf("a cost at the limit: %t, %v", ok, err)
	}
}

func TestWindowsEndAndSettle(t *testing.T) {
	addr, _ := start(t)
	s := store(t, addr)
	limit, all := middleware.Amount{Tokens: 10}, middleware.Amount{Tokens: 10}
	const window = time.Second
	first, ok, err := s.Reserve(t.Context(), "k", window, limit, all)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if err := s.Settle(t.Context(), "k", window, first, middleware.Amount{Tokens: -4}); err != nil {
		t.Fatal(err)
	}
	w, four, _ := s.Reserve(t.Context(), "k", window, limit, middleware.Amount{Tokens: 4})
	_, one, _ := s.Reserve(t.Context(), "k", window, limit, middleware.Amount{Tokens: 1})
	if w == first && (!four || one) {
		t.Errorf("after four were given back, four: %t, and one more: %t", four, one)
	}
	for {
		w, ok, err := s.Reserve(t.Context(), "k", window, limit, all)
		if err != nil || time.Since(first.Ends) > 20*time.Second {
			t.Fatal(err, "the window does not end")
		}
		if ok {
			if w.ID <= first.ID {
				t.Errorf("window %d after %d", w.ID, first.ID)
			}
			// What belongs to a window that is over changes nothing.
			if err := s.Settle(t.Context(), "k", window, first, middleware.Amount{Tokens: -10}); err != nil {
				t.Error(err)
			}
			if again, ok, _ := s.Reserve(t.Context(), "k", window, limit, middleware.Amount{Tokens: 1}); ok && again == w {
				t.Error("an old window's refund was given to the new one")
			}
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	ttl := client(t, addr).PTTL(t.Context(), "securebedrock:budget:k").Val()
	if ttl <= 0 || ttl > time.Hour+window {
		t.Errorf("the key lives for %v", ttl)
	}
}

// Through the client: calls pass, and are refused when Redis is gone.
func TestRedisThatDiesRefusesCalls(t *testing.T) {
	addr, stop := start(t)
	budget, err := middleware.Budget(middleware.BudgetOptions{Window: long, Tokens: 1_000_000, Store: store(t, addr)})
	if err != nil {
		t.Fatal(err)
	}
	server := bedrocktest.NewServer(t)
	o := server.Options()
	o.Middleware = []securebedrock.Middleware{budget}
	c, err := securebedrock.NewFromConfig(server.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := &bedrockruntime.ConverseInput{ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"), Messages: []types.Message{{
		Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hello"}}}}}
	out, err := c.Converse(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	spent, err := client(t, addr).HGet(t.Context(), "securebedrock:budget:default", "t").Int64()
	if err != nil || spent != int64(aws.ToInt32(out.Usage.TotalTokens)) {
		t.Errorf("%d tokens are spent, and the answer tells of %d (%v)", spent, aws.ToInt32(out.Usage.TotalTokens), err)
	}
	stop()
	before := len(server.Calls())
	if _, err := c.Converse(t.Context(), in); !errors.Is(err, middleware.ErrBudget) {
		t.Errorf("without Redis: %v", err)
	}
	if len(server.Calls()) != before {
		t.Error("the call was sent")
	}
}

func TestNewChecksItsOptions(t *testing.T) {
	if _, err := redisbudget.New(nil, redisbudget.Options{}); !errors.Is(err, securebedrock.ErrConfig) {
		t.Error(err)
	}
	var _ middleware.Store = (*redisbudget.Store)(nil)
}
