package bedrockhttp

import (
	"context"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Caller is who has made a request, as its key says.
type Caller struct {
	Name   string   // of the key
	Models []string // of the key, nil for all that the client permits; a copy
}

type callerKey struct{}

// withCaller returns a context that holds the caller of a request.
func withCaller(ctx context.Context, c Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the caller whose request a call of the Client stems from: in a
// Middleware, for example. It returns false for a call that no Handler has made, and
// where HandlerOptions.Open lets everybody in.
func CallerOf(ctx context.Context) (Caller, bool) {
	c, ok := ctx.Value(callerKey{}).(Caller)
	return c, ok
}

// Subject returns the name of the caller, for audit.Options.Subject. It returns the
// empty string for a call that no Handler has made.
func Subject(ctx context.Context, _ *securebedrock.Call) string {
	c, _ := CallerOf(ctx)
	return c.Name
}
