package securebedrock

import (
	"context"
	"slices"
)

// WithModels returns a context whose calls may use only models that match one of the
// patterns, in addition to Options.Models. A pattern is as in Options.Models: a model
// ID, an inference profile ID or an ARN, in which '*' matches any run. The patterns are
// compared with the identifier as the call gives it. A call that names another model is
// refused with ErrModel, and its refusal is recorded like every other.
//
// WithModels only narrows. A model must match the patterns of every WithModels on the
// way to the context. Without a pattern, no model passes. A Middleware can narrow its call
// further with WithModels and cannot widen it: the context that a Middleware passes on
// must derive from the one that it was given.
//
// Operations without a model are not affected: ApplyGuardrail, InvokeGuardrailChecks,
// GetAsyncInvoke and ListAsyncInvokes.
func WithModels(ctx context.Context, patterns ...string) context.Context {
	return context.WithValue(ctx, callModelsKey{}, &callModels{outer: callModelsOf(ctx), patterns: slices.Clone(patterns)})
}

// callModels are the patterns of one WithModels. They are never changed.
type callModels struct {
	outer    *callModels // of the context that WithModels was given
	patterns []string
}

type callModelsKey struct{}

// callModelsOf returns the patterns of the innermost WithModels; nil where there is
// none.
func callModelsOf(ctx context.Context) *callModels {
	m, _ := ctx.Value(callModelsKey{}).(*callModels)
	return m
}

// admit reports whether the patterns of every WithModels match. A nil callModels
// admits every identifier.
func (m *callModels) admit(id string) bool {
	for ; m != nil; m = m.outer {
		if !slices.ContainsFunc(m.patterns, func(p string) bool { return matchPattern(p, id) }) {
			return false
		}
	}
	return true
}
