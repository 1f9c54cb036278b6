// Package redisbudget keeps a middleware.Budget in Redis, so that many processes
// share it.
//
//	client := redis.NewClient(&redis.Options{Addr: "…", TLSConfig: …, ContextTimeoutEnabled: true})
//	store, err := redisbudget.New(client, redisbudget.Options{})
//	budget, err := middleware.Budget(middleware.BudgetOptions{
//		Window: time.Hour, Tokens: 2_000_000, Store: store, OnError: report,
//	})
//
// It holds counts under the budget's name and key, and nothing of a call. A Redis
// key lives for its window and an hour more. Each operation is one Lua script of one
// key, which Redis runs whole, on a single server or a cluster; the name and key are
// the key's hash tag. The windows are those of the Redis server's clock. It needs
// Redis 5 or later.
//
// The budget is as safe as its Redis: keys that Redis evicts (use the policy
// noeviction), or that a restart or a failover loses, are spent anew.
package redisbudget

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// Options of a Store.
type Options struct {
	// Prefix of the keys. Empty: "securebedrock:budget:".
	Prefix string
	// Timeout bounds one operation, with what the client does to reach Redis. A call
	// can wait for it twice, before the send and at its end. Zero: 2 s.
	Timeout time.Duration
}

const (
	defaultPrefix  = "securebedrock:budget:"
	defaultTimeout = 2 * time.Second
)

// Store is a middleware.Store in Redis.
type Store struct {
	client          redis.Scripter
	prefix          string
	timeout         time.Duration
	reserve, settle *redis.Script
}

// New makes a Store of a client, which stays the caller's to close. The client's
// ContextTimeoutEnabled must be set: go-redis lets a Redis that hangs hold a call
// beyond its context otherwise. New lists all faults in one error that wraps
// securebedrock.ErrConfig.
func New(client redis.Scripter, opts Options) (*Store, error) {
	var faults []error
	if client == nil {
		faults = append(faults, fmt.Errorf("%w: redisbudget: client: none is given", securebedrock.ErrConfig))
	} else if !obeysContext(client) {
		faults = append(faults, fmt.Errorf("%w: redisbudget: client: its ContextTimeoutEnabled is not set", securebedrock.ErrConfig))
	}
	if opts.Timeout < 0 {
		faults = append(faults, fmt.Errorf("%w: redisbudget: Timeout: %s; a positive time, or none for %s", securebedrock.ErrConfig, opts.Timeout, defaultTimeout))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if opts.Prefix == "" {
		opts.Prefix = defaultPrefix
	}
	if opts.Timeout == 0 {
		opts.Timeout = defaultTimeout
	}
	return &Store{client: client, prefix: opts.Prefix, timeout: opts.Timeout, reserve: redis.NewScript(reserve), settle: redis.NewScript(settle)}, nil
}

// obeysContext believes a client of another type than go-redis' own.
func obeysContext(client redis.Scripter) bool {
	switch c := client.(type) {
	case *redis.Client:
		return c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		return c.Options().ContextTimeoutEnabled
	case *redis.Ring:
		return c.Options().ContextTimeoutEnabled
	}
	return true
}

// key has the budget as its hash tag, and the window's length, as budgets of other
// windows count for themselves.
func (s *Store) key(key string, window time.Duration) []string {
	return []string{s.prefix + "{" + key + "}:" + strconv.FormatInt(window.Milliseconds(), 10)}
}

var (
	errAnswer = errors.New("redisbudget: Redis gave another answer than the script's")
	errWindow = errors.New("redisbudget: a window has whole milliseconds, one at least")
)

// Reserve implements middleware.Store.
func (s *Store) Reserve(ctx context.Context, key string, window time.Duration, limit, amount middleware.Amount) (middleware.Reservation, bool, error) {
	if window < time.Millisecond || window%time.Millisecond != 0 {
		return middleware.Reservation{}, false, errWindow
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	r := middleware.Reservation{Key: key, Window: window, Amount: amount, ID: rand.Text()}
	got, err := s.reserve.Run(ctx, s.client, s.key(key, window), window.Milliseconds(), limit.Tokens, limit.Cost, amount.Tokens, amount.Cost, r.ID).Int64Slice()
	if err != nil {
		return middleware.Reservation{}, false, fmt.Errorf("redisbudget: %w", err)
	}
	if len(got) != 2 {
		return middleware.Reservation{}, false, errAnswer
	}
	r.Ends = time.UnixMilli((got[1] + 1) * window.Milliseconds())
	return r, got[0] == 1, nil
}

// Settle implements middleware.Store.
func (s *Store) Settle(ctx context.Context, r middleware.Reservation, spent middleware.Amount) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	rest, number := spent.Minus(r.Amount), r.Ends.UnixMilli()/r.Window.Milliseconds()-1
	if err := s.settle.Run(ctx, s.client, s.key(r.Key, r.Window), number, r.ID, rest.Tokens, rest.Cost).Err(); err != nil {
		return fmt.Errorf("redisbudget: %w", err)
	}
	return nil
}
