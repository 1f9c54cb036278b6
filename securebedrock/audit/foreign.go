package audit

import (
	"errors"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
)

var (
	errPanicked = errors.New("audit: a panic was caught")
	errStuck    = errors.New("audit: no return within the bound")
)

const grace = foreign.Grace

// running is a call of an application's function that may outlast the wait for it.
type running = foreign.Call

// caught calls f, a function of the application's, and makes an error of a panic.
func caught(what string, f func() error) error { return foreign.Caught(errPanicked, what, f) }

// start calls f on a goroutine of its own.
func start(what string, f func() error) *running {
	return foreign.Start(errPanicked, errStuck, what, f)
}
