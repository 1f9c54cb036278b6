package audit_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// quota is an error of an application's own rule.
type quota struct{ name string }

func (quota) Error() string      { return "a secret" }
func (q quota) RuleName() string { return q.name }

// A Middleware's own refusal has its rule's name in the record, however it is wrapped.
func TestRecordNamesAMiddlewaresRule(t *testing.T) {
	for name, row := range map[string]struct {
		err         error
		rule, class string
	}{
		"by itself":           {quota{"house_quota"}, "house_quota", "refused"},
		"wrapped":             {fmt.Errorf("x: %w", quota{"house_quota"}), "house_quota", "refused"},
		"joined":              {errors.Join(errors.New("x"), quota{"house_quota"}), "house_quota", "refused"},
		"as a PolicyError":    {&securebedrock.PolicyError{Rule: quota{"house_quota"}}, "house_quota", "refused"},
		"around another":      {fmt.Errorf("%w: %w", quota{"house_quota"}, securebedrock.ErrModel), "house_quota", "refused"},
		"a text for a name":   {quota{"a secret"}, "", "application"},
		"no rule's":           {errors.New("a secret"), "", "application"},
		"of a cancelled wait": {fmt.Errorf("%w: %w", quota{"house_quota"}, context.Canceled), "house_quota", "canceled"},
		"of a closed client":  {fmt.Errorf("%w: %w", securebedrock.ErrClosed, context.Canceled), "closed", "refused"},
	} {
		sink := new(memory)
		c := newClient(t, bedrocktest.NewServer(t), sink, audit.Options{}, func(o *securebedrock.Options) {
			o.Middleware = append(o.Middleware, func(securebedrock.Handler) securebedrock.Handler {
				return func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { return nil, row.err }
			})
		})
		_, _ = c.Converse(t.Context(), converse("hello"))
		if _, out := sink.pair(t); out.Error == nil || out.Error.Rule != row.rule || out.Error.Class != row.class {
			t.Errorf("%s: %+v", name, out.Error)
		}
	}
}
