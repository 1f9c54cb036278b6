package securebedrock

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// defaultMaxTokens bounds an answer whose caller set no bound.
const defaultMaxTokens = 1024

// settings are Options that were checked: the caller's no more, with every default
// filled in and the endpoint computed. The guard reads settings and no Options, so that
// an option which is not settled here is enforced nowhere.
// TestEveryOptionIsSettled fails for such an option.
type settings struct {
	ruleset

	endpoint    pinned.Endpoint
	place       Endpoint // what endpoint was computed from; STS heeds FIPS and DualStack
	role        *Role    // nil: the configuration's own credentials
	roleARN     string   // of role
	sessionName string   // of its sessions
	timeouts    Timeouts
	retry       Retry
	middleware  []Middleware
}

// settle checks o, once, and reports every fault. The settings are of use only where
// there is none; with faults they tell what there is to tell.
func settle(o Options) (settings, error) {
	o = o.Clone()
	var faults refusal.Faults
	o.check(&faults)
	s := settings{
		ruleset: ruleset{
			known:     new(modelCache),
			region:    o.Region,
			residency: o.Residency,
			anywhere:  slices.Contains(o.Residency, regions.Anywhere),
			guardrail: o.Guardrail.withDefaults(o.Unguarded),
			unguarded: o.Unguarded,
			excused:   o.UnguardedOperations,
			models:    o.Models,
			accounts:  o.accounts(),
			maxTokens: o.MaxTokens,
			profiles:  o.Profiles,
			rules:     rules(),
		},
		place:      o.Endpoint,
		role:       o.Role,
		timeouts:   o.Timeouts.withDefaults(),
		retry:      o.Retry,
		middleware: o.Middleware,
	}
	if o.MaxTokens == 0 {
		s.maxTokens = defaultMaxTokens
	}
	if o.Role != nil {
		s.roleARN, s.sessionName = o.Role.ARN, o.Role.sessionName()
	}
	if regions.Valid(o.Region) || o.Endpoint.URL != "" {
		var err error
		s.endpoint, err = newEndpoint(o.Region, o.Endpoint)
		faults.Join(err)
	}
	return s, faults.Err()
}

// Validate reports every fault of the Options that New would report, each wrapped in
// ErrConfig and naming its field. It needs neither the network nor credentials. Nil
// means that New accepts the Options.
func (o *Options) Validate() error {
	_, err := settle(*o)
	return err
}

func (s *settings) hasMiddleware() bool { return len(s.middleware) > 0 }

// withDefaults returns a copy with the zero fields filled, where there is a guardrail.
func (g *Guardrail) withDefaults(unguarded string) Guardrail {
	filled := *g
	if unguarded != "" {
		return filled
	}
	if filled.Trace == "" {
		filled.Trace = types.GuardrailTraceEnabled
	}
	if filled.Stream == "" {
		filled.Stream = types.GuardrailStreamProcessingModeSync
	}
	return filled
}

// accounts are those that a caller may name; empty for any.
func (o *Options) accounts() []string {
	if len(o.Accounts) > 0 || o.Role == nil {
		return o.Accounts
	}
	arn, _ := regions.ParseARN(o.Role.ARN)
	return []string{arn.Account}
}
