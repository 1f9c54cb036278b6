package middleware

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
)

var (
	errStorePanic = errors.New("middleware: the Store panicked")
	errStoreStuck = errors.New("middleware: the Store did not return")
)

// maxStoreCalls bounds the calls of a Store that run at a time, those that were given
// up included.
const maxStoreCalls = 256

// settleTimeout bounds one Settle.
const settleTimeout = 5 * time.Second

// foreignStore is a Store of the application's, which may panic and may ignore its
// context.
type foreignStore struct {
	Store
	slots chan struct{}
}

// Reserve gives back what a Store reserves after it was given up.
func (s *foreignStore) Reserve(ctx context.Context, key string, window time.Duration, limit, amount Amount) (Reservation, bool, error) {
	type answer struct {
		r  Reservation
		ok bool
	}
	a, err := do(ctx, s.slots, "Reserve", func() (a answer, err error) {
		a.r, a.ok, err = s.Store.Reserve(ctx, key, window, limit, amount)
		return a, err
	}, func(a answer) {
		if a.ok || a.r.ID != "" {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTimeout)
			defer cancel()
			_ = s.Store.Settle(ctx, a.r, Amount{}) // OnError has been told that it may stay counted
		}
	})
	return a.r, a.ok, err
}

func (s *foreignStore) Settle(ctx context.Context, r Reservation, spent Amount) error {
	_, err := do(ctx, s.slots, "Settle", func() (struct{}, error) { return struct{}{}, s.Store.Settle(ctx, r, spent) }, nil)
	return err
}

// do calls f on a goroutine of its own and waits for it as long as ctx allows. late
// is given what f returns after that.
func do[T any](ctx context.Context, slots chan struct{}, what string, f func() (T, error), late func(T)) (T, error) {
	var none, value T
	select {
	case slots <- struct{}{}:
	default:
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return none, fmt.Errorf("%w: %s: %w", errStoreStuck, what, context.Cause(ctx))
		}
	}
	call := foreign.Start(errStorePanic, errStoreStuck, what, func() (err error) {
		value, err = f()
		return err
	})
	err := call.Wait(ctx)
	if call.Over() {
		<-slots
		return value, call.Err()
	}
	go func() {
		defer func() { <-slots }()
		<-call.Done()
		if late != nil {
			_ = caught(what, func() error { late(value); return nil })
		}
	}()
	return none, err
}
