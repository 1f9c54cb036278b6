package securebedrock

import "context"

// ruleset is what the rules compare a call with: plain data, made of the Options and
// never changed.
type ruleset struct {
	region    string
	residency []string // beside region
	anywhere  bool     // "*" in Options.Residency
	guardrail Guardrail
	unguarded string
	excused   map[string]string // Options.UnguardedOperations
	models    []string
	accounts  []string // empty: any
	maxTokens int32    // negative: none
	profiles  ProfileResolver
	known     *modelCache
	rules     []rule // in the order in which they are applied
}

// rule checks or completes an input. in is the call's own shallow copy.
type rule func(ctx context.Context, rs *ruleset, j judgement, in any) error

// judgement is what the rules are told of one call. They write what they find into
// model.
type judgement struct {
	op        *operation
	id        string // Call.ID
	unguarded string // Call.Unguarded
	model     *Model
}
