package otelbedrock

import (
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

func TestEveryRuleHasAWord(t *testing.T) {
	words := make(map[string]bool)
	for _, rule := range []error{
		securebedrock.ErrConfig, securebedrock.ErrClosed, securebedrock.ErrBypassed, securebedrock.ErrRegion, securebedrock.ErrResidency, securebedrock.ErrModel,
		securebedrock.ErrGuardrailRequired, securebedrock.ErrGuardrailOverride, securebedrock.ErrGuardrailCoverage,
		securebedrock.ErrGuardrailUnverified, securebedrock.ErrUnguardedOperation, securebedrock.ErrEndpoint, securebedrock.ErrAuth,
		securebedrock.ErrRedirect, securebedrock.ErrConnectTimeout, securebedrock.ErrReadTimeout, securebedrock.ErrCallTimeout,
		securebedrock.ErrStreamTruncated, securebedrock.ErrAnswerSize, securebedrock.ErrAudit,
	} {
		f := failureOf(&securebedrock.PolicyError{Rule: rule, Detail: "x"})
		if f.rule == "" || f.kind != f.rule || words[f.rule] {
			t.Errorf("%v: %+v", rule, f)
		}
		words[f.rule] = true
	}
}

func TestTheCallsTimeoutIsToldAndNotWhatItEnded(t *testing.T) {
	err := &securebedrock.TimeoutError{Rule: securebedrock.ErrCallTimeout, After: time.Second,
		Err: &securebedrock.TimeoutError{Rule: securebedrock.ErrReadTimeout, After: time.Second}}
	if f := failureOf(err); f.rule != "call_timeout" {
		t.Errorf("got %+v", f)
	}
}
