package middleware

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"
)

var (
	errStorePanic = errors.New("middleware: the Store panicked")
	errStoreStuck = errors.New("middleware: the Store did not return")
)

const (
	// maxStoreCalls bounds the calls of a Store that run at a time, those that were
	// given up included.
	maxStoreCalls = 256
	// storeGrace is what a Store that heeds its context has to return after the
	// context's end.
	storeGrace = 50 * time.Millisecond
)

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
	a, err := do(ctx, s.slots, func() (a answer, err error) {
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
	_, err := do(ctx, s.slots, func() (struct{}, error) { return struct{}{}, s.Store.Settle(ctx, r, spent) }, nil)
	return err
}

// do calls f on a goroutine of its own and waits for it as long as ctx allows. late
// is given what f returns after that.
func do[T any](ctx context.Context, slots chan struct{}, f func() (T, error), late func(T)) (T, error) {
	var none T
	stuck := func() error { return fmt.Errorf("%w: %w", errStoreStuck, context.Cause(ctx)) }
	select {
	case slots <- struct{}{}:
	default:
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return none, stuck()
		}
	}
	type result struct {
		value T
		err   error
	}
	done, given := make(chan result), make(chan struct{})
	go func() {
		defer func() { <-slots }()
		r := result{err: fmt.Errorf("%w: it ended its goroutine", errStorePanic)}
		defer func() { // of late
			_ = recover()
		}()
		defer func() {
			switch v := recover().(type) { // its value may hold anything
			case nil:
			case runtime.Error:
				r.err = fmt.Errorf("%w: %w", errStorePanic, v)
			default:
				r.err = fmt.Errorf("%w, with a %T", errStorePanic, v)
			}
			select {
			case done <- r:
			case <-given:
				if late != nil {
					late(r.value)
				}
			}
		}()
		r.value, r.err = f()
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	patience := time.NewTimer(storeGrace)
	defer patience.Stop()
	select {
	case r := <-done:
		return r.value, r.err
	case <-patience.C:
		close(given)
		return none, stuck()
	}
}
