// Package session keeps the credentials of a guarded client: sessions of a role, which
// are renewed beside the calls, STS at the region's own endpoint, and the gate through
// which the SDK's credential chain asks for credentials.
package session

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

const (
	// expiryWindow is how long before its end a session is renewed at the
	// earliest; jitter takes up to half of that away.
	expiryWindow = 5 * time.Minute
	// renewalTimeout bounds one request to STS, its retries included.
	renewalTimeout = 30 * time.Second
	// renewalPause is the longest pause after a failed renewal; the first one is a
	// sixteenth of it.
	renewalPause = 16 * time.Second
)

// Assumed is one session of a role.
type Assumed struct {
	Credentials aws.Credentials
	Principal   string // ARN of the session
}

func (a *Assumed) valid(now time.Time) bool {
	// Round takes the monotonic clock away, which stands still while a Lambda
	// function is frozen.
	return a != nil && now.Round(0).Before(a.Credentials.Expires)
}

// Session keeps a session of a role, and renews the session beside the calls. A timer
// starts the renewal. A call that finds the renewal due starts it, too: the process may
// have been frozen when the timer should have fired. Only a call that finds no valid
// session waits. A session that no call has used is not renewed.
type Session struct {
	assume    func(context.Context) (*Assumed, error)
	renewBase func(context.Context) bool // see Role.Session

	mu       sync.Mutex
	current  *Assumed
	renewAt  time.Time
	used     bool // since the last renewal
	failures int  // in a row
	timer    *time.Timer
	inFlight *renewal
	closed   bool
}

// renewal is one request to STS, for all who wait for it.
type renewal struct {
	cancel context.CancelFunc
	done   chan struct{}
	got    *Assumed
	err    error
}

func newSession(assume func(context.Context) (*Assumed, error), renewBase func(context.Context) bool) *Session {
	return &Session{assume: assume, renewBase: renewBase}
}

// Get returns the session. Get waits only where there is no valid session.
func (s *Session) Get(ctx context.Context) (*Assumed, error) {
	now := time.Now()
	s.mu.Lock()
	s.used = true
	current := s.current
	if current.valid(now) {
		if !now.Round(0).Before(s.renewAt) {
			s.renew()
		}
		s.mu.Unlock()
		return current, nil
	}
	r := s.renew()
	s.mu.Unlock()
	select {
	case <-r.done:
		return r.got, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// renew starts a renewal unless one is on its way. s.mu is held.
func (s *Session) renew() *renewal {
	if s.inFlight != nil {
		return s.inFlight
	}
	ctx, cancel := context.WithTimeout(context.Background(), renewalTimeout)
	if s.closed {
		cancel()
	}
	r := &renewal{cancel: cancel, done: make(chan struct{})}
	s.inFlight = r
	go func() {
		// The goroutine is ours: a panic of the application's provider, or of
		// Role.STS, must not end the process.
		call := foreign.New(errPanicked, nil, "a credentials provider or Role.STS")
		defer func() { // however the call ends: others wait for the renewal
			cancel()
			r.err = call.Err()
			s.renewed(r)
			close(r.done)
		}()
		call.Run(func() (err error) {
			r.got, err = s.request(ctx)
			return err
		})
	}()
	return r
}

var errPanicked = errors.New("securebedrock: a panic was caught")

// request asks STS, and once more where the credentials that ask are renewed.
func (s *Session) request(ctx context.Context) (*Assumed, error) {
	got, err := s.assume(ctx)
	if Expired(err) && s.renewBase != nil && s.renewBase(ctx) {
		got, err = s.assume(ctx)
	}
	return got, err
}

// renewed takes a renewal's result over and sets the timer for the next.
func (s *Session) renewed(r *renewal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight = nil
	if r.err != nil && s.closed {
		r.err = refusal.New(fmt.Errorf("%w: %w", refusal.Closed, r.err), "the client was closed before the role's session was there")
	}
	now := time.Now().Round(0)
	if r.err == nil {
		window := max(0, min(expiryWindow, r.got.Credentials.Expires.Sub(now)/2))
		s.renewAt = r.got.Credentials.Expires.Add(-jittered(window))
		s.current, s.failures, s.used = r.got, 0, false
	} else {
		s.failures++
		s.renewAt = now.Add(jittered(renewalPause >> max(0, 5-s.failures)))
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	if !s.closed && s.current.valid(now) {
		s.timer = time.AfterFunc(s.renewAt.Sub(now), s.due)
	}
}

// jittered is between half of d and all of it.
func jittered(d time.Duration) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d)/2+1)) // spreads load, guards nothing
}

// due is called by the timer.
func (s *Session) due() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used && !s.closed {
		s.renew()
	}
}

// Refused drops a session that the service says has expired, as the service does where
// the local clock is slow. The next call renews the session.
func (s *Session) Refused(accessKey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && s.current.Credentials.AccessKeyID == accessKey {
		s.current = nil
	}
}

// Close ends the renewals.
func (s *Session) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	if s.inFlight != nil {
		s.inFlight.cancel()
	}
	if s.timer != nil {
		s.timer.Stop()
	}
}
