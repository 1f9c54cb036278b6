package securebedrock_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// named is an error of somebody else's rule.
type named string

func (named) Error() string      { return "tell nobody" }
func (n named) RuleName() string { return string(n) }

type panics struct{}

func (*panics) Error() string    { return "tell nobody" }
func (*panics) RuleName() string { panic("tell nobody") }

type circle struct{}

func (c circle) Error() string   { return "again" }
func (c circle) Unwrap() []error { return []error{c, c} }

func TestRuleName(t *testing.T) {
	refusal := &securebedrock.PolicyError{Rule: securebedrock.ErrResidency, Detail: "x"}
	for _, row := range []struct {
		name string
		err  error
		want string
	}{
		{"no error", nil, ""},
		{"an error of no rule", errors.New("residency"), ""},
		{"a rule itself", securebedrock.ErrModel, "model"},
		{"a refusal", refusal, "residency"},
		{"a refusal of no rule", &securebedrock.PolicyError{}, ""},
		{"a refusal that the SDK wraps", &smithy.OperationError{ServiceID: "x", OperationName: "y", Err: refusal}, "residency"},
		{"a refusal that is joined", errors.Join(errors.New("x"), fmt.Errorf("y: %w", refusal)), "residency"},
		{"the outermost of two", fmt.Errorf("%w: %w", securebedrock.ErrAudit, refusal), "audit"},
		{"a call's timeout, and not what it ended", &securebedrock.TimeoutError{Rule: securebedrock.ErrCallTimeout, After: time.Second,
			Err: &securebedrock.TimeoutError{Rule: securebedrock.ErrReadTimeout, After: time.Second}}, "call_timeout"},
		{"a middleware's own rule", &securebedrock.PolicyError{Rule: named("quota_7")}, "quota_7"},
		{"a middleware's own error", fmt.Errorf("x: %w", named("quota")), "quota"},
		{"a middleware's own error around a rule", errors.Join(named("quota"), refusal), "quota"},
		{"a name that is a sentence is passed over", errors.Join(named("Tell me"), refusal), "residency"},
		{"a name with a digit first", named("7a"), ""},
		{"a name that is empty", named(""), ""},
		{"a name of 64 bytes", named(strings.Repeat("a", 64)), strings.Repeat("a", 64)},
		{"a name of 65 bytes", named(strings.Repeat("a", 65)), ""},
		{"a name that is no ASCII", named("ä"), ""},
		{"a panic", fmt.Errorf("x: %w", &panics{}), ""},
		{"an error that wraps itself", circle{}, ""},
		{"a cancelled context", context.Canceled, ""},
	} {
		if got := securebedrock.RuleName(row.err); got != row.want {
			t.Errorf("%s: %q, want %q", row.name, got, row.want)
		}
	}
}
