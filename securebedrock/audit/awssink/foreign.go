package awssink

import (
	"errors"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
)

var (
	errPanicked = errors.New("awssink: a panic was caught")
	errStuck    = errors.New("awssink: no return within the bound")
)

const grace = foreign.Grace

// running is a call of the application's function or of its SDK client. The call may
// still run when the wait for it has ended.
type running = foreign.Call

// start calls f on a goroutine of its own.
func start(what string, f func() error) *running {
	return foreign.Start(errPanicked, errStuck, what, f)
}
