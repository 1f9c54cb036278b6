package policy

import (
	"fmt"
	"slices"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Call is one call of a client.
type Call struct {
	// Operation is the client's method, such as "ConverseStream". Empty means "Converse".
	Operation string
	// Model is the model identifier as the caller writes it. The operations that name no
	// model leave it empty.
	Model string
	// Principal is the ARN of the role or user that signs the call. Empty means
	// Options.Role; without a Role, the account's root stands for whoever signs.
	Principal string
	// ThroughEndpoint says that the call, and what Options.Profiles asks before it, go
	// through VPC endpoints with the policies of the Spec. Where Options.Endpoint.URL is
	// set, the call itself does in any case.
	ThroughEndpoint bool
}

// operation is what an operation of the client is authorized as.
type operation struct {
	name   string
	action string
	// guarded: the client attaches the guardrail. infers: a model runs.
	guarded, infers bool
	// resource is that of an operation without a model.
	resource func(*Spec) string
}

// operationOf knows the client's operations. Converse has no action of its own
// (API_runtime_Converse), and neither has the bidirectional stream
// (API_runtime_InvokeModelWithBidirectionalStream).
func operationOf(name string) (operation, bool) {
	whatever := func(*Spec) string { return "*" }
	switch name {
	case "", "Converse":
		return operation{name: "Converse", action: invokeModel, guarded: true, infers: true}, true
	case "InvokeModel":
		return operation{name: name, action: invokeModel, guarded: true, infers: true}, true
	case "ConverseStream", "InvokeModelWithResponseStream":
		return operation{name: name, action: invokeModelStream, guarded: true, infers: true}, true
	case "InvokeModelWithBidirectionalStream", "StartAsyncInvoke":
		return operation{name: name, action: invokeModel, infers: true}, true
	case "CountTokens":
		return operation{name: name, action: "bedrock:CountTokens"}, true
	case "ApplyGuardrail":
		return operation{name: name, action: applyGuardrail, resource: func(s *Spec) string {
			if s.guardrail == "" {
				return s.arn("guardrail/anyguardrail")
			}
			return s.guardrail
		}}, true
	case "InvokeGuardrailChecks":
		return operation{name: name, action: "bedrock:InvokeGuardrailChecks", resource: whatever}, true
	case "GetAsyncInvoke":
		return operation{name: name, action: "bedrock:GetAsyncInvoke", resource: func(s *Spec) string { return s.arn("async-invoke/aninvocation") }}, true
	case "ListAsyncInvokes":
		return operation{name: name, action: "bedrock:ListAsyncInvokes", resource: whatever}, true
	}
	return operation{}, false
}

// called says what a call names, unless the client refuses the call. The order of the
// rules is the client's.
func (s *Spec) called(c Call, op operation) ([]allowed, error) {
	id := c.Model
	_, excused := s.opts.UnguardedOperations[op.name]
	if op.infers && !op.guarded && !excused && s.opts.Unguarded == "" {
		return nil, refused(securebedrock.ErrUnguardedOperation, "%s carries no guardrail; give the reason for wanting it in Options.UnguardedOperations", op.name)
	}
	if op.resource != nil {
		if id != "" {
			return nil, badCall("Model", id, "is given, and "+op.name+" names no model; leave it empty")
		}
		return nil, nil
	}
	m, err := securebedrock.ParseModel(id)
	if err != nil {
		return nil, refused(err, "name a model by its ID or its ARN")
	}
	if m.Region != "" {
		if err := s.home(id, m); err != nil {
			return nil, err
		}
	}
	if len(s.opts.Models) > 0 && !slices.ContainsFunc(s.opts.Models, func(p string) bool { return glob(p, id, false) }) {
		return nil, refused(securebedrock.ErrModel, "%s is not in Options.Models, which are compared with the identifier as the caller writes it", refusal.Quoted(id))
	}
	var faults refusal.Faults
	behind := s.settleBehind(&faults)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	list, err := s.read(id, behind)
	switch {
	case err != nil && s.opts.Profiles != nil && regions.RoutedDestinations(m.Prefix, s.region) == nil:
		return nil, badCall("Model", id, "is resolved by Options.Profiles, which is not asked here; name what is behind it in Account.ProfileModels")
	case err != nil && (m.Kind == securebedrock.KindUnknown || m.Kind == securebedrock.KindInferenceProfile && !regions.IsProfilePrefix(m.Prefix)):
		return nil, refused(securebedrock.ErrModel, "%s: %w", refusal.Quoted(id), err)
	case err != nil:
		return nil, refused(securebedrock.ErrResidency, "%s: %w", refusal.Quoted(id), err)
	}
	return list, nil
}

// home refuses an ARN of another region, partition or account.
func (s *Spec) home(id string, m securebedrock.Model) error {
	arn, _ := regions.ParseARN(id)
	switch {
	case m.Region != s.region:
		return refused(securebedrock.ErrRegion, "the ARN is of %s and Options.Region is %s", refusal.Quoted(m.Region), s.region)
	case arn.Partition != s.partition:
		return refused(securebedrock.ErrRegion, "the ARN is of partition %s and Options.Region is in %s", refusal.Quoted(arn.Partition), s.partition)
	case m.Account != "" && !slices.Contains(s.accounts(), m.Account):
		return refused(securebedrock.ErrAccount, "the ARN is of account %s; name the account in Options.Accounts if calls may use what is there", m.Account)
	}
	return nil
}

// refused is a refusal of the client's.
func refused(rule error, format string, args ...any) error {
	return fmt.Errorf("policy: the client refuses the call, and no request reaches AWS: %w: "+format, append([]any{rule}, args...)...)
}

// badCall is a Call that no client could make.
func badCall(field, value, fault string) error {
	return refusal.Fault("Call."+field, "%s %s", refusal.QuotedWord(value), fault)
}
