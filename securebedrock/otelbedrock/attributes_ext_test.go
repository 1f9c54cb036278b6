package otelbedrock_test

import (
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// The correlation ID is the caller's own word: a span holds it where it is an
// identifier, and no token.
func TestCorrelationIDIsNoToken(t *testing.T) {
	server := bedrocktest.NewServer(t)
	for id, expected := range map[string]string{
		"request-4711": "request-4711",
		"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln": "-",
		"user:AKIAIOSFODNN7EXAMPLE":                 "-",
		"what is my balance?":                       "-",
	} {
		tm := newTelemetry()
		c := newClient(t, server, func(o *securebedrock.Options) {
			o.Middleware = []securebedrock.Middleware{tm.middleware(t)}
		})
		if _, err := c.Converse(securebedrock.WithCorrelationID(t.Context(), id), converse("hello")); err != nil {
			t.Fatal(err)
		}
		want(t, tm.one(t), map[string]string{"securebedrock.call.correlation_id": expected})
	}
}
