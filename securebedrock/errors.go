package securebedrock

import "github.com/securebedrock/securebedrock-go/internal/refusal"

// The rules. A refusal is a *PolicyError whose Rule is one of these, so that
// errors.Is(err, ErrResidency) tells which rule spoke and errors.As gives the
// rest, and RuleName gives the rule's name. The last few are faults of an answer and
// not refusals.
var (
	// ErrConfig: an Options field, the aws.Config or the wrapped client cannot
	// be used as it is. Constructors return all faults joined. So it is with a call's
	// own argument that no other rule is about: a nil context, a RequestMetadata that
	// Bedrock would not take.
	ErrConfig = refusal.Config
	// ErrClosed: the Client was closed, by Close or by Shutdown.
	ErrClosed = refusal.Closed
	// ErrRegion: an ARN, a bucket or a key names another region or partition than
	// Options.Region, or what region it is of cannot be told, or the request was
	// about to be signed for another one.
	ErrRegion = refusal.Region
	// ErrAccount: an ARN, a bucket or its owner is of an account that is not in
	// Options.Accounts.
	ErrAccount = refusal.Account
	// ErrResidency: the model may run in a region outside Options.Residency, or
	// where it runs cannot be told.
	ErrResidency = refusal.Residency
	// ErrModel: the model identifier cannot be parsed, is missing, is not in
	// Options.Models, or is of a kind that only Options.Profiles could tell.
	ErrModel = refusal.Model
	// ErrBypassed: the call went round the rules, so that nothing shows what it
	// carries. A per-call option or a step of the SDK's stack took the guard out.
	ErrBypassed = refusal.Bypassed
	// ErrGuardrailRequired: Options name no guardrail, and Unguarded gives no reason for
	// that. The fault is an ErrConfig, too.
	ErrGuardrailRequired = refusal.GuardrailRequired
	// ErrGuardrailOverride: the caller's guardrail settings differ from the
	// pinned ones.
	ErrGuardrailOverride = refusal.GuardrailOverride
	// ErrGuardrailCoverage: part of the content would not be scanned, or a body
	// does not have the form that a guardrail can be applied to.
	ErrGuardrailCoverage = refusal.GuardrailCoverage
	// ErrGuardrailUnverified: Guardrail.Verify is set and the answer does not
	// prove that the pinned guardrail ran.
	ErrGuardrailUnverified = refusal.GuardrailUnverified
	// ErrUnguardedOperation: the operation carries no guardrail and no reason
	// was given for wanting it.
	ErrUnguardedOperation = refusal.UnguardedOperation
	// ErrEndpoint: the request was about to go to another host, scheme or path,
	// or with another body, than the rules approved.
	ErrEndpoint = refusal.Endpoint
	// ErrAuth: the request was about to go with other credentials than the
	// configured ones, or not signed with SigV4; or STS returned another session
	// than the one that was asked for.
	ErrAuth = refusal.Auth
	// ErrRedirect: the server answered with a redirect, which is never followed.
	ErrRedirect = refusal.Redirect
	// ErrConnectTimeout: the connection was not made within Timeouts.Connect. The
	// error is a *TimeoutError.
	ErrConnectTimeout = refusal.ConnectTimeout
	// ErrReadTimeout: nothing arrived for Timeouts.Read. The error is a
	// *TimeoutError.
	ErrReadTimeout = refusal.ReadTimeout
	// ErrCallTimeout: the call took longer than Timeouts.Call. The error is a
	// *TimeoutError, and also context.DeadlineExceeded.
	ErrCallTimeout = refusal.CallTimeout
	// ErrStreamTruncated: a stream ended before its end was announced.
	ErrStreamTruncated = refusal.StreamTruncated
	// ErrAnswerIncomplete: an answer that is no stream lacks what it is for, such as
	// the output and the stop reason of a Converse.
	ErrAnswerIncomplete = refusal.AnswerIncomplete
	// ErrAnswerSize: an answer that is no stream is longer than 32 MiB, or one with
	// credentials is longer than 1 MiB.
	ErrAnswerSize = refusal.AnswerSize
	// ErrAudit: a record could not be written.
	ErrAudit = refusal.Audit
)

// PolicyError is a refusal. It carries no prompt, answer, matched guardrail
// text, credential or token.
type PolicyError struct {
	Rule      error  // one of the Err… values, or a Middleware's own
	Operation string // "Converse", …
	Model     string // the model identifier as the caller gave it, where there is one
	Detail    string // the value that broke the rule, and what to do
}

// Error says operation, rule, value and remedy in one line.
func (e *PolicyError) Error() string { return refusal.Text(e.Operation, e.Rule, e.Detail) }

// Unwrap returns the rule.
func (e *PolicyError) Unwrap() error { return e.Rule }

// refuse is a broken rule inside of the package, before named tells what the call was.
func refuse(rule error, detail string) error { return refusal.New(rule, detail) }

// bypassed is the refusal of what has gone round the rules.
func bypassed(operation, detail string) error {
	return &PolicyError{Rule: ErrBypassed, Operation: operation, Detail: detail}
}

// closedError is the refusal of what comes after Close.
func closedError(operation, model, detail string) error {
	return &PolicyError{Rule: ErrClosed, Operation: operation, Model: model, Detail: detail}
}

// noContext is the refusal of a nil context.
func noContext(operation string) error {
	return &PolicyError{Rule: ErrConfig, Operation: operation, Detail: "the context is nil; pass context.Background() where there is no other"}
}

// named makes the PolicyError of a refusal, with the operation and the model of the
// call. It is the one place that does, and every error that a user gets has passed it.
// Other errors stay as they are.
func named(err error, operation, model string) error {
	r := refusalIn(err)
	if r == nil {
		return err
	}
	p := &PolicyError{Rule: r.Rule, Operation: operation, Model: model, Detail: r.Detail}
	if r.Operation != "" {
		p.Operation, p.Model = r.Operation, ""
	}
	if err == error(r) { //nolint:errorlint // asks whether err is the refusal itself, and no error around it
		return p
	}
	return &wrappedRefusalError{error: err, policy: p}
}

// refusalIn finds the outermost refusal of an error; nil where there is none, and where
// a PolicyError wraps the refusal.
func refusalIn(err error) *refusal.Refusal {
	switch e := err.(type) { //nolint:errorlint // each of the errors is looked at by itself
	case *PolicyError:
		return nil
	case *refusal.Refusal:
		return e
	case interface{ Unwrap() error }:
		return refusalIn(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, err := range e.Unwrap() {
			if r := refusalIn(err); r != nil {
				return r
			}
		}
	}
	return nil
}

// wrappedRefusalError is an error that wraps a refusal, such as the SDK's for a request that
// could not be sent.
type wrappedRefusalError struct {
	error
	policy *PolicyError
}

// Unwrap returns the PolicyError first, so that it is what errors.As and RuleName find.
func (e *wrappedRefusalError) Unwrap() []error { return []error{e.policy, e.error} }
