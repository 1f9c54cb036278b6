package securebedrock

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	// sessionExpiryWindow is how long before its end a session is renewed at the
	// earliest; jitter takes up to half of it away.
	sessionExpiryWindow = 5 * time.Minute
	// renewalTimeout bounds one request to STS, its retries included.
	renewalTimeout = 30 * time.Second
	// renewalPause is the longest pause after a failed renewal; the first one is a
	// sixteenth of it.
	renewalPause = 16 * time.Second
)

// assumed is one session of a role.
type assumed struct {
	credentials aws.Credentials
	principal   string // ARN of the session
}

func (a *assumed) valid(now time.Time) bool {
	// Round takes the monotonic clock away, which stands still while a Lambda
	// function is frozen.
	return a != nil && now.Round(0).Before(a.credentials.Expires)
}

// roleSession keeps a session of a role, and renews it beside the calls: a timer
// starts the renewal, and so does a call that finds it due, where the process was
// frozen when the timer should have fired. Only a call that finds no valid session
// waits. A session that no call has used is not renewed.
type roleSession struct {
	assume func(context.Context) (*assumed, error)
	// renewBase drops the credentials that ask STS, where STS calls them expired.
	// Nil where they are not ours.
	renewBase func(context.Context) bool
	ctx       context.Context // over with close
	cancel    context.CancelFunc

	mu       sync.Mutex
	current  *assumed
	renewAt  time.Time
	used     bool // since the last renewal
	failures int  // in a row
	timer    *time.Timer
	inFlight *renewal
}

// renewal is one request to STS, for all who wait for it.
type renewal struct {
	done chan struct{}
	got  *assumed
	err  error
}

func newRoleSession(api stscreds.AssumeRoleAPIClient, arn string, options func(*stscreds.AssumeRoleOptions)) *roleSession {
	s := &roleSession{assume: func(ctx context.Context) (*assumed, error) {
		noted := &notedSTS{AssumeRoleAPIClient: api}
		credentials, err := stscreds.NewAssumeRoleProvider(noted, arn, options).Retrieve(ctx)
		return &assumed{credentials, noted.principal}, err
	}}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

// notedSTS takes note of the session's ARN, which the SDK's provider drops.
type notedSTS struct {
	stscreds.AssumeRoleAPIClient
	principal string
}

// AssumeRole implements stscreds.AssumeRoleAPIClient.
func (n *notedSTS) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, optFns ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	out, err := n.AssumeRoleAPIClient.AssumeRole(ctx, in, append(slices.Clip(optFns), func(o *sts.Options) {
		o.APIOptions = append(slices.Clip(o.APIOptions), boundedSTS)
	})...)
	if err != nil {
		return nil, err
	}
	if err := proveSession(in, out, time.Now()); err != nil {
		return nil, err
	}
	if out.AssumedRoleUser != nil {
		n.principal = aws.ToString(out.AssumedRoleUser.Arn)
	}
	return out, nil
}

// get returns the session, which it waits for only where there is no valid one.
func (s *roleSession) get(ctx context.Context) (*assumed, error) {
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
func (s *roleSession) renew() *renewal {
	if s.inFlight != nil {
		return s.inFlight
	}
	r := &renewal{done: make(chan struct{}), err: errGoexit}
	s.inFlight = r
	go func() {
		defer func() { // however it ends: others wait for it
			s.renewed(r)
			close(r.done)
		}()
		ctx, cancel := context.WithTimeout(s.ctx, renewalTimeout)
		defer cancel()
		r.got, r.err = s.request(ctx)
	}()
	return r
}

// request asks STS. The goroutine is ours: a panic of the application's provider, or
// of Role.STS, must not end the process.
func (s *roleSession) request(ctx context.Context) (got *assumed, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = panicError("a credentials provider or Role.STS", v)
		}
	}()
	got, err = s.assume(ctx)
	if isExpiredToken(err) && s.renewBase != nil && s.renewBase(ctx) {
		got, err = s.assume(ctx)
	}
	return got, err
}

// renewed takes a renewal's result over and sets the timer for the next.
func (s *roleSession) renewed(r *renewal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.inFlight = nil
	now := time.Now().Round(0)
	if r.err == nil {
		window := max(0, min(sessionExpiryWindow, r.got.credentials.Expires.Sub(now)/2))
		s.renewAt = r.got.credentials.Expires.Add(-jittered(window))
		s.current, s.failures, s.used = r.got, 0, false
	} else {
		s.failures++
		s.renewAt = now.Add(jittered(renewalPause >> max(0, 5-s.failures)))
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	if s.ctx.Err() == nil && s.current.valid(now) {
		s.timer = time.AfterFunc(s.renewAt.Sub(now), s.due)
	}
}

// jittered is between half of d and all of it.
func jittered(d time.Duration) time.Duration {
	return d - time.Duration(rand.Int64N(int64(d)/2+1)) //nolint:gosec // spreads load, guards nothing
}

// due is the timer's.
func (s *roleSession) due() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.used && s.ctx.Err() == nil {
		s.renew()
	}
}

// refused drops a session that Bedrock says has expired, as it does where the
// local clock is slow; the next call renews it.
func (s *roleSession) refused(accessKey string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.current != nil && s.current.credentials.AccessKeyID == accessKey {
		s.current = nil
	}
}

// close ends the renewals.
func (s *roleSession) close() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.timer != nil {
		s.timer.Stop()
	}
}
