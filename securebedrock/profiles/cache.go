package profiles

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
)

// cache keeps answers until they expire, and asks once for all who wait.
type cache struct {
	ask     func(ctx context.Context, profile string) (regions []string, ttl time.Duration, err error)
	timeout time.Duration // of ask
	limit   int           // of entries

	flights singleflight.Group
	mu      sync.Mutex
	entries map[string]entry
}

type entry struct {
	regions []string
	err     error
	expires time.Time
}

// expired asks the monotonic clock and the wall clock, and believes the one that
// says so: the first stands still while a Lambda function is frozen, the second
// can be set back.
func (e entry) expired(now time.Time) bool {
	return !now.Before(e.expires) || !now.Round(0).Before(e.expires.Round(0))
}

// get returns the regions of profile, which the caller owns. The question to the
// control plane goes on if ctx ends, for the others who wait for it.
func (c *cache) get(ctx context.Context, profile string) ([]string, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if e, ok := c.lookup(profile); ok {
		return slices.Clone(e.regions), e.err
	}
	detached := context.WithoutCancel(ctx)
	answer := c.flights.DoChan(profile, func() (any, error) {
		// Another flight may have landed between the lookup and this one's start.
		if e, ok := c.lookup(profile); ok {
			return e, nil
		}
		ctx, cancel := context.WithTimeout(detached, c.timeout)
		defer cancel()
		// The time counts from the question, not from the answer.
		asked := time.Now()
		regions, ttl, err := c.caught(ctx, profile)
		e := entry{regions: regions, err: err, expires: asked.Add(ttl)}
		if err != nil {
			e.expires = time.Now().Add(failureTTL)
		}
		c.store(profile, e)
		return e, nil
	})
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-answer:
		if r.Err != nil {
			return nil, r.Err
		}
		e, _ := r.Val.(entry)
		return slices.Clone(e.regions), e.err
	}
}

var errPanicked = errors.New("profiles: a panic was caught")

// caught asks on a goroutine of its own: singleflight ends the process with a
// panic, and lets those who wait go on waiting after a runtime.Goexit.
func (c *cache) caught(ctx context.Context, profile string) (regions []string, ttl time.Duration, err error) {
	call := foreign.Start(errPanicked, nil, "a credentials provider or an HTTP client", func() (err error) {
		regions, ttl, err = c.ask(ctx, profile)
		return err
	})
	<-call.Done()
	return regions, ttl, call.Err()
}

func (c *cache) lookup(profile string) (entry, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[profile]
	if !ok {
		return entry{}, false
	}
	if e.expired(time.Now()) {
		delete(c.entries, profile)
		return entry{}, false
	}
	return e, true
}

// store makes room by dropping what would expire first, which is a failure where
// there is one.
func (c *cache) store(profile string, e entry) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, has := c.entries[profile]; !has && len(c.entries) >= c.limit {
		first := ""
		for name, other := range c.entries {
			if first == "" || other.expires.Before(c.entries[first].expires) {
				first = name
			}
		}
		delete(c.entries, first)
	}
	if c.entries == nil {
		c.entries = make(map[string]entry)
	}
	c.entries[profile] = e
}
