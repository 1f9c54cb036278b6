package securebedrock

import (
	"errors"
	"strconv"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/token"
)

// The rules. A refusal is a *PolicyError whose Rule is one of these, so that
// errors.Is(err, ErrResidency) tells which rule spoke and errors.As gives the
// rest, and RuleName gives the rule's name. The last few are faults of an answer and
// not refusals.
var (
	// ErrConfig: an Options field, the aws.Config or the wrapped client cannot
	// be used as it is. Constructors return all faults joined.
	ErrConfig = errors.New("invalid configuration")
	// ErrRegion: an ARN, a bucket or a key names another region or partition than
	// Options.Region, or what region it is of cannot be told, or the request was
	// about to be signed for another one.
	ErrRegion = errors.New("region is not the pinned one")
	// ErrAccount: an ARN, a bucket or its owner is of an account that is not in
	// Options.Accounts.
	ErrAccount = errors.New("account is not a permitted one")
	// ErrResidency: the model may run in a region outside Options.Residency, or
	// where it runs cannot be told.
	ErrResidency = errors.New("inference could leave the permitted regions")
	// ErrModel: the model identifier cannot be parsed, is missing, is not in
	// Options.Models, or is of a kind that only Options.Profiles could tell.
	ErrModel = errors.New("model is not permitted")
	// ErrGuardrailRequired: the call did not pass the rules, so nothing shows
	// that it carries the guardrail.
	ErrGuardrailRequired = errors.New("call without the guardrail")
	// ErrGuardrailOverride: the caller's guardrail settings differ from the
	// pinned ones.
	ErrGuardrailOverride = errors.New("guardrail differs from the pinned one")
	// ErrGuardrailCoverage: part of the content would not be scanned, or a body
	// does not have the form that a guardrail can be applied to.
	ErrGuardrailCoverage = errors.New("guardrail would not cover the whole prompt")
	// ErrGuardrailUnverified: Guardrail.Verify is set and the answer does not
	// prove that the pinned guardrail ran.
	ErrGuardrailUnverified = errors.New("answer does not prove that the guardrail ran")
	// ErrUnguardedOperation: the operation carries no guardrail and no reason
	// was given for wanting it.
	ErrUnguardedOperation = errors.New("operation carries no guardrail")
	// ErrEndpoint: the request was about to go to another host, scheme or path,
	// or with another body, than the rules approved.
	ErrEndpoint = errors.New("request is not the approved one")
	// ErrAuth: the request was about to go with other credentials than the
	// configured ones, or not signed with SigV4; or STS returned another session
	// than the one that was asked for.
	ErrAuth = errors.New("credentials are not the configured ones")
	// ErrRedirect: the server answered with a redirect, which is never followed.
	ErrRedirect = errors.New("redirect refused")
	// ErrConnectTimeout: the connection was not made within Timeouts.Connect. The
	// error is a *TimeoutError.
	ErrConnectTimeout = errors.New("no connection in time")
	// ErrReadTimeout: nothing arrived for Timeouts.Read. The error is a
	// *TimeoutError.
	ErrReadTimeout = errors.New("nothing arrived in time")
	// ErrCallTimeout: the call took longer than Timeouts.Call. The error is a
	// *TimeoutError, and also context.DeadlineExceeded.
	ErrCallTimeout = errors.New("the call took too long")
	// ErrStreamTruncated: a stream ended before its end was announced.
	ErrStreamTruncated = errors.New("stream ended early")
	// ErrAnswerIncomplete: an answer that is no stream lacks what it is for, such as
	// the output and the stop reason of a Converse.
	ErrAnswerIncomplete = errors.New("answer is incomplete")
	// ErrAnswerSize: an answer that is no stream is longer than 32 MiB, or one with
	// credentials is longer than 1 MiB.
	ErrAnswerSize = errors.New("answer is too long")
	// ErrAudit: a record could not be written.
	ErrAudit = errors.New("call could not be recorded")
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
func (e *PolicyError) Error() string {
	var b strings.Builder
	b.WriteString("securebedrock: ")
	if e.Operation != "" {
		b.WriteString(e.Operation)
		b.WriteString(": ")
	}
	if e.Rule == nil {
		b.WriteString("refused")
	} else {
		b.WriteString(e.Rule.Error())
	}
	if e.Detail != "" {
		b.WriteString(": ")
		b.WriteString(e.Detail)
	}
	return b.String()
}

// Unwrap returns the rule.
func (e *PolicyError) Unwrap() error { return e.Rule }

// quoted repeats a caller's value in an error where it can be an identifier, and
// not a text or a secret that was put in the wrong place.
func quoted(s string) string {
	if len(s) > 128 || !repeatable(s) || strings.ContainsFunc(s, func(r rune) bool { return notIdentifier(r) && !strings.ContainsRune("; =", r) }) {
		return "(no identifier)"
	}
	return strconv.Quote(s)
}

// bypassed is the refusal of what has gone round the rules.
func bypassed(operation, detail string) error {
	return &PolicyError{Rule: ErrGuardrailRequired, Operation: operation, Detail: detail}
}

// repeatable reports whether s has the form of an identifier's words, which are
// short and keep to one case where they are not. Tokens and keys are neither.
func repeatable(s string) bool {
	if token.In(s) {
		return false
	}
	for run := range strings.FieldsFuncSeq(s, token.NotAlphanumeric) {
		if len(run) > 24 || len(run) >= 12 && run != strings.ToLower(run) && run != strings.ToUpper(run) {
			return false
		}
	}
	return true
}

func refuse(rule error, detail string) *PolicyError {
	return &PolicyError{Rule: rule, Detail: detail}
}
