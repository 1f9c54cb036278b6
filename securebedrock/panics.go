package securebedrock

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/aws/smithy-go/logging"
)

// errPanic is in the error of a call in which an application's function panicked,
// where the panic could not go on to the caller.
var errPanic = errors.New("panic")

// errGoexit is the same for a function that called runtime.Goexit, as
// testing.T.FailNow does: nothing that waits for its goroutine would come back.
var errGoexit = errors.New("securebedrock: a function of the application's ended its goroutine")

// panicError makes an error of a panic. Its value may hold a prompt: of the values
// only errors of the Go runtime are repeated.
func panicError(where string, v any) error {
	if err, ok := v.(runtime.Error); ok {
		return fmt.Errorf("securebedrock: %w in %s: %w", errPanic, where, err)
	}
	return fmt.Errorf("securebedrock: %w in %s, with a %T", errPanic, where, v)
}

// runCaught runs an application's function and tells the logger where the function
// panics. Such functions run on goroutines of the SDK's and of net/http's, where a panic
// would end the process. They run one after the other, and a panic would skip the rest.
func runCaught(log logging.Logger, where string, f func()) (ok bool) {
	defer func() {
		v := recover()
		switch {
		case ok || log == nil:
		case v == nil:
			logSafely(log, "securebedrock: %s ended its goroutine", where)
		default:
			logSafely(log, "%v\n%s", panicError(where, v), debug.Stack())
		}
	}()
	f()
	return true
}

// logSafely survives a logger that panics. There is nobody else to tell.
func logSafely(log logging.Logger, format string, args ...any) {
	defer func() { _ = recover() }()
	log.Logf(logging.Warn, format, args...)
}
