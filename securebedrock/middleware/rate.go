package middleware

import (
	"context"
	"math"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// RateOptions are the options of Rate.
type RateOptions struct {
	// PerSecond is the number of calls per second for each model. Required.
	PerSecond float64
	// Burst is the number of calls of one model that may start at once. Zero: 1.
	Burst int
	// Refuse makes a call above the rate fail at once with ErrRate. Without Refuse
	// the call waits for its turn. A call whose context would end before its turn
	// fails at once.
	Refuse bool
}

// Rate limits the calls per second of each model, in this process. Rate tracks at
// most 1025 models. Further model names share one limit until other models are
// idle.
func Rate(opts RateOptions) (securebedrock.Middleware, error) {
	var f faults
	if !(opts.PerSecond > 0) || math.IsInf(opts.PerSecond, 0) {
		f.add("Rate", "PerSecond", "%v; a positive number is needed", opts.PerSecond)
	}
	if opts.Burst < 0 {
		f.add("Rate", "Burst", "%d; give a positive number, or none for 1", opts.Burst)
	}
	if err := f.err(); err != nil {
		return nil, err
	}
	opts.Burst = max(opts.Burst, 1)
	l := &limiters{opts: opts, models: map[string]*rate.Limiter{}}
	return func(next securebedrock.Handler) securebedrock.Handler {
		return func(ctx context.Context, call *securebedrock.Call) (*securebedrock.Result, error) {
			if infers(call.Operation) {
				limiter := l.of(nameOf(call.Model.ID))
				if opts.Refuse {
					if !limiter.Allow() {
						return nil, refuse(ErrRate, call, nil, "%v calls a second are allowed", opts.PerSecond)
					}
				} else if err := limiter.Wait(ctx); err != nil {
					return nil, refuse(ErrRate, call, err, "%v calls a second are allowed, and its turn would come too late", opts.PerSecond)
				}
			}
			return next(ctx, call)
		}
	}, nil
}

const (
	maxLimiters = 1024
	sweepEvery  = time.Second
)

// limiters holds one limiter for each model. A limiter with all its tokens has no
// state worth keeping, and is dropped when there are many limiters.
type limiters struct {
	opts   RateOptions
	mu     sync.Mutex
	models map[string]*rate.Limiter
	swept  time.Time
}

func (l *limiters) of(model string) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if got := l.models[model]; got != nil {
		return got
	}
	if now := time.Now(); len(l.models) >= maxLimiters && now.Sub(l.swept) >= sweepEvery {
		l.swept = now
		for m, old := range l.models {
			if old.TokensAt(now) >= float64(l.opts.Burst) {
				delete(l.models, m)
			}
		}
	}
	if len(l.models) >= maxLimiters {
		model = "" // more names at once than models exist: they share one
		if got := l.models[model]; got != nil {
			return got
		}
	}
	got := rate.NewLimiter(rate.Limit(l.opts.PerSecond), l.opts.Burst)
	l.models[model] = got
	return got
}
