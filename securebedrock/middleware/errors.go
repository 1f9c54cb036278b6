package middleware

import (
	"errors"
	"fmt"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// The rules of this package. securebedrock.RuleName gives their names, which stand
// in audit records, spans and metrics.
var (
	// ErrBudget: the budget of the window is spent, or its store cannot be asked.
	// The error is a *BudgetError. Its name is "budget", "budget_store" where the
	// Store failed, "budget_price" where the call has no price, and "budget_failed"
	// where BudgetOptions.Key or Estimate panicked.
	ErrBudget error = &rule{"budget", "budget is spent"}
	// ErrConcurrency: too many calls of the model are in flight. Its name is
	// "concurrency".
	ErrConcurrency error = &rule{"concurrency", "too many calls in flight"}
	// ErrRate: too many calls of the model in this second. Its name is "rate".
	ErrRate error = &rule{"rate", "too many calls a second"}
	// ErrInput: the guardrail intervened on the input, or could not be applied to
	// all of it. The error is an *InputError. Its name is "input_blocked" where the
	// guardrail intervened, and else "input_unchecked".
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

// BudgetError is a refusal of Budget. It is a *securebedrock.PolicyError of the rule
// ErrBudget too, and wraps what the Store reported where it failed.
type BudgetError struct {
	// Name is the budget's, and Key what BudgetOptions.Key made of the call. Key is
	// not in the error's text, as it may name a person.
	Name, Key string
	// Limit is what may be spent in a window.
	Limit Amount
	// Needed is what the call may need, by its estimate, and Left is what the window
	// has left. Left counts for the limits that there are, and is zero where the Store
	// does not tell; both are zero where the call has no price or the Store failed.
	Needed, Left Amount
	// Frees is when the window ends; zero where the Store failed, and where the call
	// is larger than the whole budget.
	Frees time.Time

	name string // of the reason, where it is not the rule's
	refusal
}

// RuleName is the name of the reason, which ErrBudget lists.
func (e *BudgetError) RuleName() string {
	if e.name != "" {
		return e.name
	}
	return securebedrock.RuleName(ErrBudget)
}

// InputError is a refusal of InputCheck. It is a *securebedrock.PolicyError of the
// rule ErrInput too, and wraps what ApplyGuardrail reported where it failed.
type InputError struct {
	// Intervened says that the guardrail blocked or masked something. Else it could
	// not be asked about all of the input.
	Intervened bool
	// Unchecked is what it could not be asked about, if that was the reason.
	Unchecked Content

	refusal
}

// RuleName is the name of the reason: "input_blocked" or "input_unchecked".
func (e *InputError) RuleName() string {
	if e.Intervened {
		return nameInputBlocked
	}
	return securebedrock.RuleName(ErrInput)
}

// refusal is a PolicyError with a cause, which its text leaves out: a cause's text
// is not this package's to vouch for.
type refusal struct {
	policy *securebedrock.PolicyError
	cause  error
}

func refuse(rule error, call *securebedrock.Call, cause error, format string, args ...any) refusal {
	return refusal{&securebedrock.PolicyError{Rule: rule, Operation: call.Operation, Model: call.Model.ID, Detail: fmt.Sprintf(format, args...)}, cause}
}

// Error says operation, rule, value and remedy in one line.
func (r refusal) Error() string {
	if r.policy == nil { // made by somebody else
		return "securebedrock: refused"
	}
	return r.policy.Error()
}

// Unwrap returns the *securebedrock.PolicyError and the cause, where there are.
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
