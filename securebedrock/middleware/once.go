package middleware

import (
	"sync"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// ending is how a call came to its end.
type ending struct {
	securebedrock.Outcome

	panicked bool // then there is no Outcome
}

// once calls release at the end of a call however it ends: at the end of its
// stream, or where an inner middleware panics.
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
	if res == nil { // only outside of a Client: its chain makes one
		end(ending{Outcome: securebedrock.Outcome{Err: err}})
		return res, err
	}
	res.OnDone(func(o securebedrock.Outcome) { end(ending{Outcome: o}) })
	return res, err
}

// infers says whether an operation runs a model on a prompt. ApplyGuardrail does
// not, so InputCheck may ask the client that it is in.
func infers(operation string) bool {
	switch operation {
	case "Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream", "InvokeModelWithBidirectionalStream", "StartAsyncInvoke":
		return true
	}
	return false
}
