package middleware

import (
	"context"
	"time"
)

// Store keeps what was spent, for many goroutines, and for many processes where it
// can. Keys of different windows are different budgets.
type Store interface {
	// Reserve adds amount to what key has spent in its window of now, unless a limit
	// would be passed or is reached: then it adds nothing and returns false, and a
	// Reservation that says when the window ends and what is spent. A limit of zero is
	// none. With an error it returns a Reservation with an ID where it cannot know
	// whether the amount was, or will yet be, added: that one is settled with nothing
	// at once, also where ctx is over.
	Reserve(ctx context.Context, key string, window time.Duration, limit, amount Amount) (Reservation, bool, error)
	// Settle puts what a call spent in place of what was reserved for it. It is
	// called once for each Reservation; that of a window which is over may be
	// forgotten.
	Settle(ctx context.Context, r Reservation, spent Amount) error
}

// Reservation is what a Store needs in order to settle.
type Reservation struct {
	Key    string
	Window time.Duration
	Ends   time.Time // when the window ends, to the Store's clock
	Amount Amount
	Spent  Amount // of the window, where Reserve refused
	ID     string // the Store's own
}

// WindowEnd is when the window of a time ends, for Stores. Windows follow one
// another from the Unix epoch on.
func WindowEnd(now time.Time, window time.Duration) time.Time {
	return time.Unix(0, (now.UnixNano()/int64(window)+1)*int64(window))
}
