package middleware

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// ConcurrencyOptions are the options of Concurrency.
type ConcurrencyOptions struct {
	// Limit is the number of calls of one model that may be in flight. A stream is
	// in flight until its end. Required.
	Limit int64
	// Models sets other limits for some models. The keys are model identifiers in
	// any spelling.
	Models map[string]int64
	// Refuse makes a call above the limit fail at once with ErrConcurrency. Without
	// Refuse the call waits for room until its context ends.
	Refuse bool
}

// Concurrency limits the calls of each model that are in flight.
func Concurrency(opts ConcurrencyOptions) (securebedrock.Middleware, error) {
	var f faults
	if opts.Limit <= 0 {
		f.add("Concurrency", "Limit", "%d; a positive number is needed", opts.Limit)
	}
	limits := make(map[string]int64, len(opts.Models))
	for m, n := range opts.Models {
		if n <= 0 {
			f.add("Concurrency", "Models", "%q has %d; a positive number is needed", m, n)
		}
		if other, twice := limits[nameOf(m)]; twice && other != n {
			f.add("Concurrency", "Models", "%q has %d and, in another spelling, %d; give one of them", m, n, other)
		}
		limits[nameOf(m)] = n
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	l := &inFlight{models: map[string]*slots{}}
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			if !infers(call.Operation) {
				return next(ctx, call)
			}
			model := nameOf(call.Model.ID)
			limit, ok := limits[model]
			if !ok {
				limit = opts.Limit
			}
			s := l.take(model, limit)
			if !s.TryAcquire(1) {
				if opts.Refuse {
					l.give(model, s)
					return nil, refuse(ErrConcurrency, call, nil, "%d calls are in flight; try again later, or raise the limit", limit)
				}
				if err := s.Acquire(ctx, 1); err != nil {
					l.give(model, s)
					return nil, refuse(ErrConcurrency, call, context.Cause(ctx), "%d calls are in flight and none ended in time", limit)
				}
			}
			return once(func() (*securebedrock.Result, error) { return next(ctx, call) }, func(ending) {
				s.Release(1)
				l.give(model, s)
			})
		}
	}, nil
}

// inFlight holds a semaphore for each model that has a call in flight, and for no
// other model: a caller could send any number of names.
type inFlight struct {
	mu     sync.Mutex
	models map[string]*slots
}

type slots struct {
	*semaphore.Weighted
	users int
}

func (l *inFlight) take(model string, limit int64) *slots {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.models[model]
	if s == nil {
		s = &slots{Weighted: semaphore.NewWeighted(limit)}
		l.models[model] = s
	}
	s.users++
	return s
}

func (l *inFlight) give(model string, s *slots) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s.users--; s.users == 0 {
		delete(l.models, model)
	}
}
