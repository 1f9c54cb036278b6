// Package refusal holds the rules by name, and the error that says which of them a
// call or a configuration broke. Package securebedrock exports the rules and makes
// its own public error of a Refusal, with the operation and the model of the call.
package refusal

import (
	"errors"
	"strings"
)

// The rules. securebedrock/errors.go tells what each of them means.
var (
	Config              = errors.New("invalid configuration")
	Closed              = errors.New("client is closed")
	Region              = errors.New("region is not the pinned one")
	Account             = errors.New("account is not a permitted one")
	Residency           = errors.New("inference could leave the permitted regions")
	Model               = errors.New("model is not permitted")
	Bypassed            = errors.New("call did not pass the rules")
	GuardrailRequired   = errors.New("call without the guardrail")
	GuardrailOverride   = errors.New("guardrail differs from the pinned one")
	GuardrailCoverage   = errors.New("guardrail would not cover the whole prompt")
	GuardrailUnverified = errors.New("answer does not prove that the guardrail ran")
	UnguardedOperation  = errors.New("operation carries no guardrail")
	Endpoint            = errors.New("request is not the approved one")
	Auth                = errors.New("credentials are not the configured ones")
	Redirect            = errors.New("redirect refused")
	ConnectTimeout      = errors.New("no connection in time")
	ReadTimeout         = errors.New("nothing arrived in time")
	CallTimeout         = errors.New("the call took too long")
	StreamTruncated     = errors.New("stream ended early")
	AnswerIncomplete    = errors.New("answer is incomplete")
	AnswerSize          = errors.New("answer is too long")
	Audit               = errors.New("call could not be recorded")
)

// Refusal is a rule that was broken, and how. errors.Is finds the Rule. A Refusal is
// never changed once made, so that goroutines may share it. It reaches no user
// of a Client: securebedrock makes a *PolicyError of it.
type Refusal struct {
	Rule error
	// Operation is set where what was refused is not the call itself, as with
	// AssumeRole for the sake of a Converse.
	Operation string
	// Detail is the value that broke the rule, and what to do.
	Detail string
}

// New returns a Refusal as an error.
func New(rule error, detail string) error { return &Refusal{Rule: rule, Detail: detail} }

// RetryableError tells the SDK's retryers that a refusal is final, also where the SDK
// wraps the refusal as a failure to send.
func (r *Refusal) RetryableError() bool { return false }

// Error says operation, rule and detail.
func (r *Refusal) Error() string { return Text(r.Operation, r.Rule, r.Detail) }

// Text is what the error of a refusal says, in one line.
func Text(operation string, rule error, detail string) string {
	var b strings.Builder
	b.WriteString("securebedrock: ")
	if operation != "" {
		b.WriteString(operation)
		b.WriteString(": ")
	}
	if rule == nil {
		b.WriteString("refused")
	} else {
		b.WriteString(rule.Error())
	}
	if detail != "" {
		b.WriteString(": ")
		b.WriteString(detail)
	}
	return b.String()
}

// Unwrap returns the rule.
func (r *Refusal) Unwrap() error { return r.Rule }
