package securebedrock

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func TestWhatIsRetried(t *testing.T) {
	r := newRetryer(Retry{}, 0)
	for _, row := range []struct {
		name string
		err  error
		want bool
	}{
		{"a throttle", &types.ThrottlingException{}, true},
		{"a lost connection", &smithyhttp.RequestSendError{Err: errors.New("reset")}, true},
		{"silence before all is sent", &smithyhttp.RequestSendError{Err: &TimeoutError{Rule: ErrReadTimeout}}, true},
		{"silence when all is sent", &smithyhttp.RequestSendError{Err: &TimeoutError{Rule: ErrReadTimeout, sent: true}}, false},
		{"a daily quota", &types.ThrottlingException{Message: aws.String("Too many tokens per day, please wait before trying again.")}, false},
		{"a refusal of a user's", &PolicyError{Rule: ErrResidency}, false},
		{"a refusal", refuse(ErrResidency, ""), false},
		{"a refusal while sending", &smithyhttp.RequestSendError{Err: refuse(ErrEndpoint, "")}, false},
		{"a validation error", &types.ValidationException{}, false},
		{"an access error", &types.AccessDeniedException{}, false},
		{"a cancelled context", context.Canceled, false},
	} {
		if got := r.IsErrorRetryable(row.err); got != row.want {
			t.Errorf("%s: retried %v", row.name, got)
		}
	}
	if n := newRetryer(Retry{MaxAttempts: 7}, 0).MaxAttempts(); n != 7 {
		t.Errorf("%d attempts", n)
	}
	if n := r.MaxAttempts(); n != 3 {
		t.Errorf("%d attempts by default", n)
	}
}
