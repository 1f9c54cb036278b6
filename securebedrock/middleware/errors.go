package middleware

import (
	"errors"
	"fmt"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// The rules of this package. securebedrock.RuleName gives their names, which appear
// in audit records, spans and metrics.
var (
	// ErrBudget: the budget of the window is spent, or the Store failed. The error is a
	// *BudgetError. The rule name is "budget"; "budget_store" if the Store failed;
	// "budget_price" if the call has no price; and "budget_failed" if BudgetOptions.Key
	// or Estimate panicked.
	ErrBudget error = &rule{"budget", "budget is spent"}
	// ErrConcurrency: too many calls of the model are in flight. The rule name is
	// "concurrency".
	ErrConcurrency error = &rule{"concurrency", "too many calls in flight"}
	// ErrRate: too many calls of the model in this second. The rule name is "rate".
	ErrRate error = &rule{"rate", "too many calls a second"}
	// ErrInput: the guardrail intervened on the input, or could not check all of the
	// input. The error is an *InputError. The rule name is "input_blocked" if the
	// guardrail intervened, otherwise "input_unchecked".
	ErrInput error = &rule{"input_unchecked", "input did not pass the check"}
)

// rule is an error with a name for securebedrock.RuleName.
type rule struct{ name, text string }

func (r *rule) Error() string    { return r.text }
func (r *rule) RuleName() string { return r.name }

const (
	nameBudgetStore  = "budget_store"
	nameBudgetPrice  = "budget_price"
	nameBudgetFailed = "budget_failed"
	nameInputBlocked = "input_blocked"
)

// BudgetError is a refusal of Budget. It is also a *securebedrock.PolicyError with
// the rule ErrBudget. If the Store failed, BudgetError wraps the error of the
// Store.
type BudgetError struct {
	// Name is the name of the budget. Key is the result of BudgetOptions.Key for
	// the call. The text of the error does not contain Key, because Key may name a
	// person.
	Name, Key string
	// Limit is the limit of a window.
	Limit Amount
	// Needed is the estimate of what the call may need. Left is what remains in the
	// window, for the limits that are set. Left is zero if the Store does not
	// report what is spent. Both are zero if the call has no price or the Store
	// failed.
	Needed, Left Amount
	// Frees is the end of the window. Frees is zero if the Store failed, or if the
	// call is larger than the whole budget.
	Frees time.Time

	name string // of the reason, where it is not the rule's
	refusal
}

// RuleName returns the name of the reason. ErrBudget lists the names.
func (e *BudgetError) RuleName() string {
	if e.name != "" {
		return e.name
	}
	return securebedrock.RuleName(ErrBudget)
}

// InputError is a refusal of InputCheck. It is also a *securebedrock.PolicyError
// with the rule ErrInput. If ApplyGuardrail failed, InputError wraps its error.
type InputError struct {
	// Intervened reports whether the guardrail blocked or masked something.
	// Otherwise the guardrail could not check all of the input.
	Intervened bool
	// Unchecked is the content that the guardrail could not check, if that was the
	// reason.
	Unchecked Content

	refusal
}

// RuleName returns the name of the reason: "input_blocked" or "input_unchecked".
func (e *InputError) RuleName() string {
	if e.Intervened {
		return nameInputBlocked
	}
	return securebedrock.RuleName(ErrInput)
}

// refusal is a PolicyError with a cause. The text of the refusal leaves the cause
// out, because the text of a cause may contain anything.
type refusal struct {
	policy *securebedrock.PolicyError
	cause  error
}

func refuse(rule error, call *securebedrock.Call, cause error, format string, args ...any) refusal {
	return refusal{&securebedrock.PolicyError{Rule: rule, Operation: call.Operation, Model: call.Model.ID, Detail: fmt.Sprintf(format, args...)}, cause}
}

// Error returns operation, rule, value and remedy in one line.
func (r refusal) Error() string {
	if r.policy == nil { // made by somebody else
		return "securebedrock: refused"
	}
	return r.policy.Error()
}

// Unwrap returns the *securebedrock.PolicyError and the cause, if they exist.
func (r refusal) Unwrap() []error {
	var all []error
	if r.policy != nil {
		all = append(all, r.policy)
	}
	if r.cause != nil {
		all = append(all, r.cause)
	}
	return all
}

type faults []error

func (f *faults) add(kind, field, format string, args ...any) {
	*f = append(*f, fmt.Errorf("%w: middleware: %s: %s: %s", securebedrock.ErrConfig, kind, field, fmt.Sprintf(format, args...)))
}

func (f *faults) err() error { return errors.Join(*f...) }
