package redisbudget_test

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
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

type amount = middleware.Amount

const long = 100 * 365 * 24 * time.Hour // a window that does not end in a test

// Two clients with eight goroutines each never have more than the budget.
func TestManyClientsShareOneBudget(t *testing.T) {
	addr, _ := start(t)
	stores := []*redisbudget.Store{store(t, client(t, addr)), store(t, client(t, addr))}
	var granted, held, most atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			for range 50 {
				s := stores[i%2]
				r, ok, err := s.Reserve(t.Context(), "k", long, amount{Tokens: 100}, amount{Tokens: 7, Cost: 3})
				if err != nil || !r.Ends.After(time.Now()) {
					t.Error(r, err)
				}
				if !ok {
					continue
				}
				granted.Add(1)
				most.Store(max(most.Load(), held.Add(7)))
				held.Add(-7)
				if err := s.Settle(t.Context(), r, amount{}); err != nil { // it was not sent
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if most.Load() > 98 || granted.Load() < 14 {
		t.Errorf("%d tokens of 100 were held at once, and %d calls passed", most.Load(), granted.Load())
	}
	var last atomic.Int64
	for i := range 16 {
		wg.Go(func() {
			for range 50 {
				if _, ok, _ := stores[i%2].Reserve(t.Context(), "k", long, amount{Tokens: 1000}, amount{Tokens: 7, Cost: 3}); ok {
					last.Add(7)
				}
			}
		})
	}
	wg.Wait()
	if last.Load() != 994 {
		t.Errorf("%d tokens were granted of 1000, by sevens", last.Load())
	}
}

func TestLimits(t *testing.T) {
	addr, _ := start(t)
	s := store(t, client(t, addr))
	for _, row := range []struct {
		name          string
		limit, amount amount
		ok            bool
	}{
		{"a cost over the limit is refused", amount{Cost: 5}, amount{Cost: 6}, false},
		{"a cost at the limit passes", amount{Cost: 6}, amount{Cost: 6}, true},
		{"tokens over theirs are refused where the cost is not", amount{Tokens: 5, Cost: 9}, amount{Tokens: 6, Cost: 1}, false},
		{"without a limit any amount passes", amount{Tokens: 1}, amount{Tokens: 1, Cost: 1 << 60}, true},
		{"the largest number is refused", amount{Tokens: 1 << 52}, amount{Tokens: 1<<63 - 1}, false},
	} {
		if _, ok, err := s.Reserve(t.Context(), row.name, long, row.limit, row.amount); ok != row.ok || err != nil {
			t.Errorf("%s: %t, %v", row.name, ok, err)
		}
		if row.ok {
			if _, ok, err := s.Reserve(t.Context(), row.name, long, row.limit, amount{}); ok || err != nil {
				t.Errorf("%s, and then nothing more: %t, %v", row.name, ok, err)
			}
		}
	}
	if _, ok, err := s.Reserve(t.Context(), "a cost at the limit passes", long+time.Hour, amount{Cost: 6}, amount{Cost: 6}); !ok || err != nil {
		t.Errorf("a window of another length is another budget: %t, %v", ok, err)
	}
	if _, _, err := s.Reserve(t.Context(), "k", time.Microsecond, amount{Cost: 6}, amount{}); err == nil {
		t.Error("a window of a microsecond is taken")
	}
}

func TestWindowsEndAndSettle(t *testing.T) {
	addr, _ := start(t)
	s := store(t, client(t, addr))
	limit, all := amount{Tokens: 10}, amount{Tokens: 10}
	const window = time.Second
	first, ok, err := s.Reserve(t.Context(), "k", window, limit, all)
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	for {
		r, ok, err := s.Reserve(t.Context(), "k", window, limit, all)
		if err != nil || time.Since(first.Ends) > 20*time.Second {
			t.Fatal(err, "the window does not end")
		}
		if !ok {
			time.Sleep(20 * time.Millisecond)
			continue
		}
		if !r.Ends.After(first.Ends) || r.Ends.UnixNano()%int64(window) != 0 {
			t.Errorf("a window until %v after one until %v", r.Ends, first.Ends)
		}
		// What belongs to a window that is over changes nothing.
		if err := s.Settle(t.Context(), first, amount{}); err != nil {
			t.Error(err)
		}
		if again, ok, _ := s.Reserve(t.Context(), "k", window, limit, amount{Tokens: 1}); ok && again.Ends.Equal(r.Ends) {
			t.Error("an old window's refund was given to the new one")
		}
		break
	}
	ttl := client(t, addr).PTTL(t.Context(), "securebedrock:budget:{k}:1000").Val()
	if ttl <= 0 || ttl > time.Hour+window {
		t.Errorf("the key lives for %v", ttl)
	}
}

// A refund is given once, and what was spent over the estimate is charged.
func TestSettleOnce(t *testing.T) {
	addr, _ := start(t)
	c := client(t, addr)
	s := store(t, c)
	r, _, err := s.Reserve(t.Context(), "k", long, amount{Tokens: 100}, amount{Tokens: 50, Cost: 5})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // as a client does that lost the answer
		if err := s.Settle(t.Context(), r, amount{Tokens: 60, Cost: 1}); err != nil {
			t.Fatal(err)
		}
	}
	fields := c.HGetAll(t.Context(), c.Keys(t.Context(), "*").Val()[0]).Val()
	if len(fields) != 3 || fields["t"] != "60" || fields["c"] != "1" {
		t.Errorf("Redis holds %v", fields)
	}
}

// A script that is sent again because its answer was lost reserves once.
func TestReserveOnce(t *testing.T) {
	addr, _ := start(t)
	c := client(t, addr)
	s := store(t, twice{c})
	for range 2 {
		if _, ok, err := s.Reserve(t.Context(), "k", long, amount{Tokens: 100}, amount{Tokens: 50}); !ok || err != nil {
			t.Errorf("%t, %v", ok, err)
		}
	}
	if n := c.HGet(t.Context(), c.Keys(t.Context(), "*").Val()[0], "t").Val(); n != "100" {
		t.Errorf("%s tokens are reserved", n)
	}
}

// twice sends each script two times.
type twice struct{ *redis.Client }

func (c twice) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	if cmd := c.Client.EvalSha(ctx, sha, keys, args...); cmd.Err() != nil {
		return cmd
	}
	return c.Client.EvalSha(ctx, sha, keys, args...)
}

func (c twice) Eval(ctx context.Context, script string, keys []string, args ...any) *redis.Cmd {
	c.Client.Eval(ctx, script, keys, args...)
	return c.Client.Eval(ctx, script, keys, args...)
}

func guarded(t *testing.T, server *bedrocktest.Server, opts middleware.BudgetOptions) *securebedrock.Client {
	t.Helper()
	opts.Window = long
	budget, err := middleware.Budget(opts)
	if err != nil {
		t.Fatal(err)
	}
	o := server.Options()
	o.Middleware = []securebedrock.Middleware{budget}
	c, err := securebedrock.NewFromConfig(server.Config(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func hello() *bedrockruntime.ConverseInput {
	return &bedrockruntime.ConverseInput{ModelId: aws.String("anthropic.claude-3-haiku-20240307-v1:0"), Messages: []types.Message{{
		Role: types.ConversationRoleUser, Content: []types.ContentBlock{&types.ContentBlockMemberText{Value: "hello"}}}}}
}

// Through the client: what an answer cost is in Redis, and when Redis is gone, calls
// are refused before the send.
func TestRedisThatDiesRefusesCalls(t *testing.T) {
	addr, stop := start(t)
	server := bedrocktest.NewServer(t)
	c := guarded(t, server, middleware.BudgetOptions{Tokens: 1_000_000, Store: store(t, client(t, addr)), OnError: func(err error) { t.Error(err) }})
	out, err := c.Converse(t.Context(), hello())
	if err != nil {
		t.Fatal(err)
	}
	r := client(t, addr)
	spent, err := r.HGet(t.Context(), r.Keys(t.Context(), "securebedrock:budget:{default/}:*").Val()[0], "t").Int64()
	if err != nil || spent != int64(aws.ToInt32(out.Usage.TotalTokens)) {
		t.Errorf("%d tokens are spent, and the answer tells of %d (%v)", spent, aws.ToInt32(out.Usage.TotalTokens), err)
	}
	stop()
	before := len(server.Calls())
	var b *middleware.BudgetError
	if _, err := c.Converse(t.Context(), hello()); !errors.Is(err, middleware.ErrBudget) || !errors.As(err, &b) || !b.Frees.IsZero() {
		t.Errorf("without Redis: %v", err)
	}
	if len(server.Calls()) != before {
		t.Error("the call was sent")
	}
}

// Redis dies while calls are on their way: those end well, OnError hears of each that
// could not be settled, and no further one is sent.
func TestRedisThatDiesInTheMiddle(t *testing.T) {
	addr, stop := start(t)
	server := bedrocktest.NewServer(t)
	const inFlight = 4
	arrived, proceed := make(chan struct{}, inFlight), make(chan struct{})
	server.Reply(func(*bedrockruntime.ConverseInput) (*bedrockruntime.ConverseOutput, error) {
		arrived <- struct{}{}
		<-proceed
		return bedrocktest.Text("late"), nil
	})
	var lost atomic.Int64
	c := guarded(t, server, middleware.BudgetOptions{Tokens: 1_000_000, Store: store(t, client(t, addr)), OnError: func(err error) {
		if strings.Contains(err.Error(), "settled") {
			lost.Add(1)
		}
	}})
	var wg sync.WaitGroup
	for range inFlight {
		wg.Go(func() {
			if _, err := c.Converse(t.Context(), hello()); err != nil {
				t.Error(err)
			}
		})
	}
	for range inFlight {
		<-arrived
	}
	stop()
	for range 8 {
		wg.Go(func() {
			if _, err := c.Converse(t.Context(), hello()); !errors.Is(err, middleware.ErrBudget) {
				t.Errorf("a call after the end of Redis: %v", err)
			}
		})
	}
	close(proceed)
	wg.Wait()
	if lost.Load() != inFlight {
		t.Errorf("OnError heard of %d of %d calls", lost.Load(), inFlight)
	}
}

// The scripts run on a cluster, whose nodes refuse keys of several slots.
func TestCluster(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, bus, _ := net.SplitHostPort(l.Addr().String())
	l.Close()
	addr, _ := start(t, "--cluster-enabled", "yes", "--cluster-port", bus)
	node := client(t, addr)
	if err := node.ClusterAddSlotsRange(t.Context(), 0, 16383).Err(); err != nil {
		t.Fatal(err)
	}
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, ContextTimeoutEnabled: true})
	defer c.Close()
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(node.ClusterInfo(t.Context()).Val(), "cluster_state:ok"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the cluster is not ready")
		}
	}
	s := store(t, c)
	for _, key := range []string{"month/a", "month/}{", "month/"} {
		r, ok, err := s.Reserve(t.Context(), key, long, amount{Tokens: 10}, amount{Tokens: 10})
		if !ok || err != nil {
			t.Fatalf("%q: %t, %v", key, ok, err)
		}
		if err := s.Settle(t.Context(), r, amount{Tokens: 4}); err != nil {
			t.Errorf("%q: %v", key, err)
		}
		if _, ok, err := s.Reserve(t.Context(), key, long, amount{Tokens: 10}, amount{Tokens: 6}); !ok || err != nil {
			t.Errorf("%q: what was given back: %t, %v", key, ok, err)
		}
	}
}

// A Redis that hangs does so for no longer than Timeout.
func TestRedisThatHangsIsLeft(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // it takes connections and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	s, err := redisbudget.New(client(t, l.Addr().String()), redisbudget.Options{Timeout: 200 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if _, ok, err := s.Reserve(t.Context(), "k", long, amount{Tokens: 1}, amount{}); ok || err == nil || time.Since(began) > 2*time.Second {
		t.Errorf("%t, %v after %v", ok, err, time.Since(began))
	}
}

func TestNewChecksItsOptions(t *testing.T) {
	for name, c := range map[string]redis.Scripter{
		"no client": nil,
		"a client that does not obey its context":  redis.NewClient(&redis.Options{}),
		"a cluster that does not obey its context": redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{"127.0.0.1:1"}}),
		"a ring that does not obey its context":    redis.NewRing(&redis.RingOptions{}),
	} {
		_, err := redisbudget.New(c, redisbudget.Options{Timeout: -1})
		if !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "client:") || !strings.Contains(err.Error(), "Timeout:") {
			t.Errorf("%s: %v", name, err)
		}
		if closer, ok := c.(io.Closer); ok {
			closer.Close()
		}
	}
	var _ middleware.Store = (*redisbudget.Store)(nil)
}
