// Package redisbudget keeps a middleware.Budget in Redis, so that many processes
// share it.
//
//	client := redis.NewClient(&redis.Options{Addr: "…", TLSConfig: …, ContextTimeoutEnabled: true})
//	store, err := redisbudget.New(client, redisbudget.Options{})
//	budget, err := middleware.Budget(middleware.BudgetOptions{
//		Window: time.Hour, Tokens: 2_000_000, Store: store, OnError: report,
//	})
//
// Redis holds counts under the name and key of the budget, and nothing of a call. A Redis
// key expires one hour after its window. Each operation is one atomic Lua script over one
// key, on a single server or a cluster; the name and key of the budget are the hash tag.
// Windows follow the clock of the Redis server. Redis 5 or later is required.
//
// A budget whose key is lost starts again from zero. A key is lost when Redis evicts it
// (use the policy noeviction), or in a restart or a failover without persistence.
package redisbudget

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/middleware"
)

// Options are the options of New.
type Options struct {
	// Prefix is the prefix of the Redis keys. Empty: "securebedrock:budget:".
	Prefix string
	// Timeout bounds one operation, including the client's connection to Redis. A
	// call can wait for Timeout twice: before the send and at its end. If the first
	// operation failed, the second wait is to give back what Redis may have
	// reserved. Zero: 2 s.
	Timeout time.Duration
}

const (
	defaultPrefix  = "securebedrock:budget:"
	defaultTimeout = 2 * time.Second
)

// Store is a middleware.Store in Redis.
type Store struct {
	client  redis.Scripter
	prefix  string
	timeout time.Duration

	reserve, settle, release *redis.Script
}

// New returns a Store that uses client. The caller closes client. The client's
// ContextTimeoutEnabled must be set: otherwise go-redis lets a Redis that hangs
// hold a call beyond its context. New lists all faults in one error that wraps
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
	return &Store{client: client, prefix: opts.Prefix, timeout: opts.Timeout, reserve: redis.NewScript(reserve), settle: redis.NewScript(settle), release: redis.NewScript(release)}, nil
}

// obeysContext reports whether the client has ContextTimeoutEnabled. A client of a
// type that is not from go-redis is trusted.
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

// Reserve implements middleware.Store. If the context or Timeout ends, or the
// connection is lost, Redis may have reserved or may still reserve. The error then
// comes with a Reservation that has an ID, and Settle gives the reservation back.
func (s *Store) Reserve(ctx context.Context, key string, window time.Duration, limit, amount middleware.Amount) (middleware.Reservation, bool, error) {
	if window < time.Millisecond || window%time.Millisecond != 0 {
		return middleware.Reservation{}, false, errWindow
	}
	if err := ctx.Err(); err != nil { // nothing is sent
		return middleware.Reservation{}, false, fmt.Errorf("redisbudget: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	r := middleware.Reservation{Key: key, Window: window, Amount: amount, ID: rand.Text()}
	got, err := s.reserve.Run(ctx, s.client, s.key(key, window), window.Milliseconds(), limit.Tokens, limit.Cost, amount.Tokens, amount.Cost, r.ID).Int64Slice()
	switch {
	case err != nil && answered(err):
		return middleware.Reservation{}, false, fmt.Errorf("redisbudget: %w", err)
	case err != nil:
		return r, false, fmt.Errorf("redisbudget: %w", err)
	case len(got) != 4:
		return r, false, errAnswer
	}
	r.Ends = time.UnixMilli((got[1] + 1) * window.Milliseconds())
	if got[0] != 1 {
		r.Spent = middleware.Amount{Tokens: got[2], Cost: got[3]}
	}
	return r, got[0] == 1, nil
}

// answered reports whether a failed script is known not to have run, and not to run
// later: Redis refused it, or could not be reached at all.
func answered(err error) bool {
	var refused redis.Error
	var dial *net.OpError
	return errors.As(err, &refused) || errors.As(err, &dial) && dial.Op == "dial"
}

// Settle implements middleware.Store.
func (s *Store) Settle(ctx context.Context, r middleware.Reservation, spent middleware.Amount) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var err error
	if r.Ends.IsZero() { // of a Reserve that failed
		err = s.release.Run(ctx, s.client, s.key(r.Key, r.Window), r.Window.Milliseconds(), r.ID, -r.Amount.Tokens, -r.Amount.Cost).Err()
	} else {
		rest, number := spent.Minus(r.Amount), r.Ends.UnixMilli()/r.Window.Milliseconds()-1
		err = s.settle.Run(ctx, s.client, s.key(r.Key, r.Window), number, r.ID, rest.Tokens, rest.Cost).Err()
	}
	if err != nil {
		return fmt.Errorf("redisbudget: %w", err)
	}
	return nil
}
