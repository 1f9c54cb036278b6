package middleware

import (
	"sync"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// ending describes how a call ended.
type ending struct {
	securebedrock.Outcome

	panicked bool // there is no Outcome then
}

// once calls release once, at the end of a call. A call ends at its answer, at the
// end of its stream, or when an inner middleware panics.
func once(next func() (*securebedrock.Result, error), release func(ending)) (*securebedrock.Result, error) {
	var did sync.Once
	end := func(e ending) { did.Do(func() { release(e) }) }
	returned := false
	defer func() {
		if !returned {
			end(ending{panicked: true})
		}
	}()
	res, err := next()
	returned = true
	if res == nil { // only outside a Client: the chain of a Client always makes a Result
		end(ending{Outcome: securebedrock.Outcome{Err: err}})
		return res, err
	}
	res.OnDone(func(o securebedrock.Outcome) { end(ending{Outcome: o}) })
	return res, err
}

// infers reports whether an operation runs a model on a prompt. ApplyGuardrail runs
// no model, so InputCheck may use the client that contains it.
func infers(operation string) bool {
	switch operation {
	case "Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream", "InvokeModelWithBidirectionalStream", "StartAsyncInvoke":
		return true
	}
	return false
}
