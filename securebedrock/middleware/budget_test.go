package middleware

import (
	"errors"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// What an Outcome of 100 input tokens costs where 300 and 700 were estimated.
func TestSpent(t *testing.T) {
	type outcome = securebedrock.Outcome
	estimate := securebedrock.Usage{InputTokens: 300, OutputTokens: 700}
	broken, service := errors.New("broken"), &smithy.GenericAPIError{Code: "ThrottlingException"}
	count := func(out int64) securebedrock.Usage { return securebedrock.Usage{InputTokens: 100, OutputTokens: out} }
	for _, row := range []struct {
		name string
		e    ending
		want int64
	}{
		{"a whole answer costs its count", ending{Outcome: outcome{Attempts: 1, Usage: count(50)}}, 150},
		{"one that was not let pass costs it too", ending{Outcome: outcome{Attempts: 1, Usage: count(50), StopReason: "end_turn", Err: broken}}, 150},
		{"a broken stream costs its input's count and its answer's estimate", ending{Outcome: outcome{Attempts: 1, Events: 2, Usage: count(1), Err: broken}}, 800},
		{"a closed one too", ending{Outcome: outcome{Attempts: 1, Events: 2, Usage: count(1), Canceled: true}}, 800},
		{"and its answer's count where that is larger", ending{Outcome: outcome{Attempts: 1, Events: 2, Usage: count(900), Canceled: true}}, 1000},
		{"one that was closed after its end costs its count", ending{Outcome: outcome{Attempts: 1, Events: 2, Usage: count(1), StopReason: "end_turn", Canceled: true}}, 101},
		{"an exception inside a stream keeps the estimate", ending{Outcome: outcome{Attempts: 1, Events: 2, Err: service}}, 1000},
		{"a service's error costs nothing", ending{Outcome: outcome{Attempts: 1, Err: service}}, 0},
		{"an answer without a count keeps the estimate", ending{Outcome: outcome{Attempts: 1}}, 1000},
		{"what was not sent costs nothing", ending{Outcome: outcome{Err: broken}}, 0},
		{"a panic keeps the estimate", ending{panicked: true}, 1000},
	} {
		if got := spent(Price{}, row.e, estimate, Price{}.amount(estimate, false), false); got.Tokens != row.want {
			t.Errorf("%s: %d, want %d", row.name, got.Tokens, row.want)
		}
	}
}
