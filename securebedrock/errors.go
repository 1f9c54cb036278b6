package securebedrock

import (
	"context"
	"errors"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// The rules. The Rule of a *PolicyError is one of these errors: errors.Is(err,
// ErrResidency) tells which rule refused the call, errors.As gives the details, and
// RuleName gives the rule's name. The last few errors are faults of an answer and not
// refusals.
var (
	// ErrConfig: an Options field, the aws.Config or the wrapped client cannot be used
	// as it is. Constructors return all faults joined. ErrConfig is also the rule for an
	// argument of a call that no other rule covers: a nil context, or a RequestMetadata
	// that Bedrock would not accept.
	ErrConfig = refusal.Config
	// ErrClosed: Close or Shutdown has closed the Client.
	ErrClosed = refusal.Closed
	// ErrRegion: an ARN, a bucket or a key names another region or partition than
	// Options.Region, or its region is unknown. ErrRegion also refuses a request that
	// was about to be signed for another region.
	ErrRegion = refusal.Region
	// ErrAccount: an ARN, a bucket or the owner of a bucket belongs to an account that
	// is not in Options.Accounts.
	ErrAccount = refusal.Account
	// ErrResidency: the model may run in a region outside Options.Residency, or the
	// regions in which it runs are unknown.
	ErrResidency = refusal.Residency
	// ErrModel: the model identifier is missing, cannot be parsed, is not in
	// Options.Models, or is of a kind that only Options.Profiles can resolve.
	ErrModel = refusal.Model
	// ErrBypassed: the call went round the rules, so nothing shows what it carries. A
	// per-call option or a step of the SDK's stack removed the guard.
	ErrBypassed = refusal.Bypassed
	// ErrGuardrailRequired: Options name no guardrail, and Unguarded gives no reason for
	// that. The error also wraps ErrConfig.
	ErrGuardrailRequired = refusal.GuardrailRequired
	// ErrGuardrailOverride: the caller's guardrail settings differ from the
	// pinned ones.
	ErrGuardrailOverride = refusal.GuardrailOverride
	// ErrGuardrailCoverage: the guardrail would not scan part of the content, or a
	// guardrail cannot be applied to a body of this form.
	ErrGuardrailCoverage = refusal.GuardrailCoverage
	// ErrGuardrailUnverified: Guardrail.Verify is set, and the answer does not prove
	// that the pinned guardrail ran.
	ErrGuardrailUnverified = refusal.GuardrailUnverified
	// ErrUnguardedOperation: the operation carries no guardrail, and Options give no
	// reason for permitting it.
	ErrUnguardedOperation = refusal.UnguardedOperation
	// ErrEndpoint: the request was about to go to another host, scheme or path than the
	// rules approved, or with another body.
	ErrEndpoint = refusal.Endpoint
	// ErrAuth: the request was about to go with other credentials than the configured
	// ones, or without a SigV4 signature. ErrAuth also refuses a session of STS that is
	// not the one that was requested.
	ErrAuth = refusal.Auth
	// ErrRedirect: the server answered with a redirect, which is never followed.
	ErrRedirect = refusal.Redirect
	// ErrConnectTimeout: the connection was not made within Timeouts.Connect. The
	// error is a *TimeoutError.
	ErrConnectTimeout = refusal.ConnectTimeout
	// ErrReadTimeout: no byte was received or sent for Timeouts.Read. The error is a
	// *TimeoutError.
	ErrReadTimeout = refusal.ReadTimeout
	// ErrCallTimeout: the call took longer than Timeouts.Call. The error is a
	// *TimeoutError. errors.Is also finds context.DeadlineExceeded.
	ErrCallTimeout = refusal.CallTimeout
	// ErrStreamTruncated: a stream ended before its end was announced.
	ErrStreamTruncated = refusal.StreamTruncated
	// ErrAnswerIncomplete: an answer other than a stream lacks what it is for, such as
	// the output and the stop reason of a Converse.
	ErrAnswerIncomplete = refusal.AnswerIncomplete
	// ErrAnswerSize: an answer other than a stream is longer than 32 MiB, or an answer
	// with credentials is longer than 1 MiB.
	ErrAnswerSize = refusal.AnswerSize
	// ErrAudit: a record could not be written.
	ErrAudit = refusal.Audit
)

// PolicyError is a refusal. It contains no prompt, answer, matched guardrail text,
// credential or token.
type PolicyError struct {
	Rule      error  // one of the Err… values, or a Middleware's own
	Operation string // "Converse", …
	Model     string // the model identifier as the caller gave it, where there is one
	Detail    string // the value that broke the rule, and what to do
}

// Error returns the operation, the rule, the value and the remedy in one line.
func (e *PolicyError) Error() string { return refusal.Text(e.Operation, e.Rule, e.Detail) }

// Unwrap returns the rule.
func (e *PolicyError) Unwrap() error { return e.Rule }

// refuse returns a refusal without the call's operation and model, which named adds.
func refuse(rule error, detail string) error { return refusal.New(rule, detail) }

// bypassed is the refusal of a call that has gone round the rules.
func bypassed(operation, detail string) error {
	return &PolicyError{Rule: ErrBypassed, Operation: operation, Detail: detail}
}

// closedError is the refusal of a call after Close.
func closedError(operation, model, detail string) error {
	return &PolicyError{Rule: ErrClosed, Operation: operation, Model: model, Detail: detail}
}

// canceledByCaller tells a caller's cancellation from that of the client's own Close,
// which the error of a closed client may wrap.
func canceledByCaller(err error) bool {
	return errors.Is(err, context.Canceled) && !errors.Is(err, ErrClosed)
}

// noContext is the refusal of a nil context.
func noContext(operation string) error {
	return &PolicyError{Rule: ErrConfig, Operation: operation, Detail: "the context is nil; pass context.Background() where there is no other"}
}

// named makes the PolicyError of a refusal, with the operation and the model of the
// call. Only named does so. Every error that a user receives has passed through named.
// An error without a refusal does not change.
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

// refusalIn returns the outermost refusal of an error. It returns nil where there is
// none, and where a PolicyError wraps the refusal.
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

// Unwrap returns the PolicyError first, so that errors.As and RuleName find it.
func (e *wrappedRefusalError) Unwrap() []error { return []error{e.policy, e.error} }
