package middleware

import (
	"context"
	"time"
)

// Store holds what was spent. Many goroutines use a Store at the same time, and
// many processes may share one. Keys with different windows are different budgets.
type Store interface {
	// Reserve adds amount to what key has spent in the current window and returns
	// true. If a limit would be exceeded or is reached, Reserve adds nothing and
	// returns false, with a Reservation that has the end of the window and what is
	// spent. A limit of zero is no limit.
	//
	// If Reserve fails and does not know whether the amount was added or may still
	// be added, Reserve returns a Reservation with an ID and the error. This
	// Reservation is settled with nothing at once, also when ctx has ended.
	Reserve(ctx context.Context, key string, window time.Duration, limit, amount Amount) (Reservation, bool, error)
	// Settle replaces what was reserved for a call by what the call spent. Settle
	// is called once for each Reservation. A Store may forget a Reservation whose
	// window is over.
	Settle(ctx context.Context, r Reservation, spent Amount) error
}

// Reservation is what a Store needs to settle a call.
type Reservation struct {
	Key    string
	Window time.Duration
	Ends   time.Time // the end of the window, by the Store's clock
	Amount Amount
	Spent  Amount // in the window, if Reserve refused
	ID     string // chosen by the Store
}

// WindowEnd returns the end of the window that contains now, for a Store. Windows
// follow one another from the Unix epoch.
func WindowEnd(now time.Time, window time.Duration) time.Time {
	return time.Unix(0, (now.UnixNano()/int64(window)+1)*int64(window))
}
