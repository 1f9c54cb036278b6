package securebedrock

import "sync/atomic"

// lifetime is what Close and Shutdown end. It is the one part of a guard that changes.
type lifetime struct {
	closed  atomic.Bool
	calls   inFlight
	streams streamSet
}
