package modelretry

import (
	"math"
	"sync"
	"time"
)

// rateLimit is the client-side rate limit of one model: the algorithm of the AWS
// SDKs' retry mode "adaptive" (a token bucket whose rate falls with a throttle and
// grows along a cubic curve without one). The SDK's own one (aws/retry,
// AdaptiveMode) does not tell how long a wait will be, so a call could not know
// that the wait passes its deadline. Here the calls wait in a line.
type rateLimit struct {
	floor float64 // the least rate, in sends a second

	mu       sync.Mutex
	on       bool // since the first throttle
	rate     float64
	capacity float64
	tokens   float64 // below zero: calls stand in line
	given    float64 // tokens that were ever filled in
	filled   time.Time

	window    time.Time // the sends since then are counted
	sends     float64
	measured  float64 // sends a second
	most      float64 // the rate at the last throttle
	plateau   float64 // seconds from a throttle until the curve is back at most
	throttled time.Time
	last      error // the last throttle
}

const (
	// leastRate is the SDKs' own: one send in two seconds.
	leastRate       = 0.5
	rateWindow      = 500 * time.Millisecond
	rateSmoothing   = 0.8
	rateAfter       = 0.7 // of what was sent before a throttle
	rateCurve       = 0.4
	rateGrowthLimit = 2 // times what is sent now
)

func newRateLimit(maxBackoff time.Duration) *rateLimit {
	now := time.Now()
	return &rateLimit{floor: max(leastRate, 1/maxBackoff.Seconds()), window: now, throttled: now}
}

// ticket is a place in the line: the count of tokens at which it is due. Zero
// means that the call need not wait.
type ticket float64

// take takes a token, or a place in the line.
func (l *rateLimit) take(now time.Time) ticket {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.on {
		return 0
	}
	l.fill(now)
	l.tokens--
	if l.tokens >= 0 {
		return 0
	}
	return ticket(l.given - l.tokens)
}

// left is how long the ticket has to wait at the present rate.
func (l *rateLimit) left(t ticket, now time.Time) time.Duration {
	if t == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fill(now)
	missing := (float64(t) - l.given) / l.rate
	if missing < 1e-9 { // a rounding error is no wait
		return 0
	}
	return time.Duration(math.Ceil(missing * float64(time.Second)))
}

// leave gives a place up.
func (l *rateLimit) leave() {
	l.mu.Lock()
	l.tokens++
	l.mu.Unlock()
}

func (l *rateLimit) fill(now time.Time) {
	amount := max(0, now.Sub(l.filled).Seconds()) * l.rate
	l.filled = now
	l.given += amount
	l.tokens = min(l.tokens+amount, l.capacity)
}

// note learns from an attempt: throttle is nil where it was not throttled.
func (l *rateLimit) note(throttle error, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sends++
	if d := now.Sub(l.window); d >= rateWindow {
		l.measured = rateSmoothing*l.sends/d.Seconds() + (1-rateSmoothing)*l.measured
		l.sends, l.window = 0, now
	}
	if throttle == nil && !l.on {
		return
	}
	next := 0.0
	if throttle != nil {
		l.most = l.measured
		if l.on {
			l.most = min(l.measured, l.rate)
		} else {
			l.on, l.rate, l.filled = true, l.floor, now
		}
		l.last, l.throttled = throttle, now
		next = rateAfter * l.most
	}
	l.plateau = math.Cbrt(l.most * (1 - rateAfter) / rateCurve)
	if throttle == nil {
		next = rateCurve*math.Pow(now.Sub(l.throttled).Seconds()-l.plateau, 3) + l.most
	}
	l.fill(now)
	next = min(next, rateGrowthLimit*l.measured)
	l.rate = max(next, l.floor)
	l.capacity = max(next, 1)
	l.tokens = min(l.tokens, l.capacity)
}

// throttle is the last throttle of the model.
func (l *rateLimit) throttle() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.last
}
