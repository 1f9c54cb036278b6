package session

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// slowSTS takes its time to grant a session, and fails while it is down.
type slowSTS struct {
	mu        sync.Mutex
	asked     int
	now, most int // requests at once
	down      bool
}

var errDown = errors.New("STS is down")

func (s *slowSTS) AssumeRole(ctx context.Context, in *sts.AssumeRoleInput, _ ...func(*sts.Options)) (*sts.AssumeRoleOutput, error) {
	s.mu.Lock()
	s.asked++
	s.now++
	s.most = max(s.most, s.now)
	down := s.down
	s.mu.Unlock()
	defer func() { s.mu.Lock(); s.now--; s.mu.Unlock() }()
	select {
	case <-time.After(2 * time.Second):
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if down {
		return nil, errDown
	}
	return &sts.AssumeRoleOutput{
		AssumedRoleUser: &ststypes.AssumedRoleUser{Arn: aws.String("arn:aws:sts::123456789012:assumed-role/app/" + *in.RoleSessionName)},
		Credentials: &ststypes.Credentials{AccessKeyId: aws.String("ASIAEXAMPLE"), SecretAccessKey: aws.String("s"),
			SessionToken: aws.String("t"), Expiration: aws.Time(time.Now().Add(time.Duration(*in.DurationSeconds) * time.Second))},
	}, nil
}

func (s *slowSTS) turn(down bool) {
	s.mu.Lock()
	s.down = down
	s.mu.Unlock()
}

func (s *slowSTS) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// inSession runs a test on a role's session in a bubble of time.
func inSession(t *testing.T, f func(t *testing.T, api *slowSTS, s *Session)) {
	synctest.Test(t, func(t *testing.T) {
		api := new(slowSTS)
		s := Role{ARN: "arn:aws:iam::123456789012:role/app", Name: DefaultName()}.Session(api, nil)
		f(t, api, s)
		s.Close()
		synctest.Wait() // a goroutine that stays fails the bubble
		if api.most > 1 {
			t.Errorf("%d requests to STS at once", api.most)
		}
	})
}

// ask is a call's question, and how long it took.
func ask(t *testing.T, s *Session) (time.Duration, error) {
	t.Helper()
	start := time.Now()
	got, err := s.Get(t.Context())
	if err == nil && !got.valid(time.Now()) {
		t.Errorf("the session had ended %v before", time.Since(got.Credentials.Expires))
	}
	return time.Since(start), err
}

func TestRenewalIsBesideTheCalls(t *testing.T) {
	inSession(t, func(t *testing.T, api *slowSTS, s *Session) {
		if d, err := ask(t, s); err != nil || d != 2*time.Second {
			t.Fatalf("the first call took %v: %v", d, err)
		}
		for range 5 * 3600 / 10 {
			time.Sleep(10 * time.Second)
			if d, err := ask(t, s); err != nil || d != 0 {
				t.Fatalf("a call waited %v: %v", d, err)
			}
		}
		// A session lives for an hour less the window.
		if n := api.count(); n < 5 || n > 6 {
			t.Errorf("STS was asked %d times in 5 hours", n)
		}
	})
}

// STS is down for the last four minutes of a session: no call fails, and STS is
// asked with pauses. It comes back a little before the session's end.
func TestSTSDownInASessionsLastMinutes(t *testing.T) {
	inSession(t, func(t *testing.T, api *slowSTS, s *Session) {
		ask(t, s)
		end := s.current.Credentials.Expires
		failed := 0
		api.turn(true)
		for time.Until(end) > 20*time.Second {
			time.Sleep(time.Second)
			if d, err := ask(t, s); err != nil || d != 0 {
				failed++
			}
		}
		asked := api.count()
		api.turn(false)
		for range 60 {
			time.Sleep(time.Second)
			if d, err := ask(t, s); err != nil || d != 0 {
				failed++
			}
		}
		if failed > 0 || asked < 5 || asked > 60 {
			t.Errorf("%d calls failed or waited, and STS was asked %d times while it was down", failed, asked)
		}
	})
}

func TestSTSDownBeyondTheSession(t *testing.T) {
	inSession(t, func(t *testing.T, api *slowSTS, s *Session) {
		ask(t, s)
		end := s.current.Credentials.Expires
		api.turn(true)
		time.Sleep(time.Until(end) - time.Second)
		if _, err := ask(t, s); err != nil {
			t.Errorf("a call failed in the session's last second: %v", err)
		}
		time.Sleep(2 * time.Second)
		if _, err := ask(t, s); !errors.Is(err, errDown) {
			t.Errorf("after the session's end: %v", err)
		}
		api.turn(false)
		if d, err := ask(t, s); err != nil || d > 4*time.Second {
			t.Errorf("after STS is back: %v, %v", d, err)
		}
	})
}

// A frozen process runs no timer. The first call after it renews: beside itself
// where the session is still valid, and at once where it is not.
func TestFreeze(t *testing.T) {
	inSession(t, func(t *testing.T, api *slowSTS, s *Session) {
		freeze := func(d time.Duration) {
			s.mu.Lock()
			s.timer.Stop()
			s.mu.Unlock()
			time.Sleep(d)
		}
		ask(t, s)
		freeze(58 * time.Minute)
		if d, err := ask(t, s); err != nil || d != 0 {
			t.Errorf("in the session's last minutes: %v, %v", d, err)
		}
		time.Sleep(3 * time.Second)
		if n := api.count(); n != 2 {
			t.Errorf("the call did not start a renewal: STS was asked %d times", n)
		}
		freeze(10 * time.Hour)
		if d, err := ask(t, s); err != nil || d != 2*time.Second {
			t.Errorf("after a long freeze: %v, %v", d, err)
		}
	})
}

func TestAnUnusedSessionIsNotRenewed(t *testing.T) {
	inSession(t, func(t *testing.T, api *slowSTS, s *Session) {
		ask(t, s)
		ask(t, s)
		time.Sleep(24 * time.Hour)
		if n := api.count(); n != 2 {
			t.Errorf("STS was asked %d times in a day without calls", n)
		}
	})
}

// A caller that gives up leaves alone, and the others get the one session.
func TestManyWaitForOneRequest(t *testing.T) {
	inSession(t, func(t *testing.T, api *slowSTS, s *Session) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := s.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("the impatient caller got %v", err)
			}
		})
		for range 100 {
			wg.Go(func() {
				if _, err := ask(t, s); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if n := api.count(); n != 1 {
			t.Errorf("STS was asked %d times", n)
		}
	})
}

func TestARefusedSessionIsDropped(t *testing.T) {
	inSession(t, func(t *testing.T, api *slowSTS, s *Session) {
		ask(t, s)
		s.Refused("ASIAOTHER")
		if d, _ := ask(t, s); d != 0 {
			t.Error("another session's refusal dropped this one")
		}
		s.Refused("ASIAEXAMPLE")
		if d, err := ask(t, s); err != nil || d == 0 {
			t.Errorf("the refused session is still used: %v", err)
		}
	})
}

// STS calls the credentials beneath a Role expired: they are renewed, and STS is
// asked once more and not again.
func TestExpiryBeneathTheRole(t *testing.T) {
	for _, row := range []struct {
		name   string
		err    error
		renews bool
		asked  int
	}{
		{"credentials that are renewed", errExpired, true, 2},
		{"credentials that cannot be", errExpired, false, 1},
		{"another error", errors.New("denied"), true, 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			asked, renewed := 0, false
			s := newSession(func(context.Context) (*Assumed, error) {
				if asked++; renewed {
					return &Assumed{Credentials: aws.Credentials{Expires: time.Now().Add(time.Hour)}}, nil
				}
				return nil, row.err
			}, func(context.Context) bool { renewed = row.renews; return row.renews })
			defer s.Close()
			_, err := s.Get(t.Context())
			if asked != row.asked || (err == nil) != (row.asked == 2) {
				t.Errorf("asked %d times, want %d: %v", asked, row.asked, err)
			}
		})
	}
}

// Close ends a request to STS that is on its way, and what waits for the request.
func TestCloseEndsARenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSession(func(ctx context.Context) (*Assumed, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		}, nil)
		start := time.Now()
		time.AfterFunc(time.Second, s.Close)
		if _, err := s.Get(t.Context()); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second || !errors.Is(err, refusal.Closed) {
			t.Errorf("after %v: %v", time.Since(start), err)
		}
		if _, err := s.Get(t.Context()); !errors.Is(err, context.Canceled) || time.Since(start) != time.Second || !errors.Is(err, refusal.Closed) {
			t.Errorf("after Close, %v later: %v", time.Since(start), err)
		}
	})
}
