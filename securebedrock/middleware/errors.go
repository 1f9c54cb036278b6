package middleware

import (
	"errors"
	"fmt"
	"sync"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// The rules of this package.
var (
	// ErrBudget: the budget of the window is spent, or its store cannot be asked.
	ErrBudget = errors.New("budget is spent")
	// ErrConcurrency: too many calls of the model are in flight.
	ErrConcurrency = errors.New("too many calls in flight")
	// ErrRate: too many calls of the model in this second.
	ErrRate = errors.New("too many calls a second")
	// ErrInput: the guardrail intervened on the input, or could not be applied to
	// all of it.
	ErrInput = errors.New("input did not pass the check")
)

func refuse(rule error, call *securebedrock.Call, format string, args ...any) error {
	return &securebedrock.PolicyError{Rule: rule, Operation: call.Operation, Model: call.Model.ID, Detail: fmt.Sprintf(format, args...)}
}

// because adds a cause that errors.Is finds.
func because(rule, cause error) error { return fmt.Errorf("%w: %w", rule, cause) }

type faults []error

func (f *faults) add(kind, field, format string, args ...any) {
	*f = append(*f, fmt.Errorf("%w: middleware: %s: %s: %s", securebedrock.ErrConfig, kind, field, fmt.Sprintf(format, args...)))
}

func (f faults) err() error { return errors.Join(f...) }

// once calls release at the end of a call however it ends: at the end of its
// stream, or where an inner middleware panics.
func once(next func() (*securebedrock.Result, error), release func(securebedrock.Outcome, bool)) (*securebedrock.Result, error) {
	var did sync.Once
	end := func(o securebedrock.Outcome, told bool) { did.Do(func() { release(o, told) }) }
	returned := false
	defer func() {
		if !returned {
			end(securebedrock.Outcome{}, false)
		}
	}()
	res, err := next()
	returned = true
	if res == nil {
		end(securebedrock.Outcome{Err: err}, false)
		return res, err
	}
	res.OnDone(func(o securebedrock.Outcome) { end(o, true) })
	return res, err
}

// infers says whether an operation runs a model on a prompt.
func infers(operation string) bool {
	switch operation {
	case "Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream", "InvokeModelWithBidirectionalStream", "StartAsyncInvoke":
		return true
	}
	return false
}
