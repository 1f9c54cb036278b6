package securebedrock

import (
	"runtime"
	"testing"

	"github.com/aws/smithy-go/logging"
)

// A logger that panics itself does not let the panic out that it is told of.
func TestCaughtWithALoggerThatPanics(t *testing.T) {
	log := logging.LoggerFunc(func(logging.Classification, string, ...any) { panic("the logger") })
	if runCaught(log, "f", func() { panic("f") }) {
		t.Error("it says that f returned")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runCaught(log, "f", runtime.Goexit)
	}()
	<-done
}
