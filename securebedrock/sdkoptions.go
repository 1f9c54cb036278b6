package securebedrock

import (
	"reflect"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/metrics"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
)

// intercepts reports whether there is an interceptor of any kind. The SDK's options
// hold empty lists where there is none.
func intercepts(r smithyhttp.InterceptorRegistry) bool {
	v := reflect.ValueOf(r)
	for i := range v.NumField() {
		if v.Field(i).Len() > 0 {
			return true
		}
	}
	return false
}

// withoutNil takes out what would panic at its first use.
func withoutNil(o *bedrockruntime.Options) {
	if foreign.IsNil(o.Logger) {
		o.Logger = logging.Nop{}
	}
	if foreign.IsNil(o.MeterProvider) {
		o.MeterProvider = metrics.NopMeterProvider{}
	}
	if foreign.IsNil(o.TracerProvider) {
		o.TracerProvider = nil // the SDK has its own
	}
	if foreign.IsNil(o.IdempotencyTokenProvider) {
		o.IdempotencyTokenProvider = nil
	}
	o.APIOptions = slices.DeleteFunc(slices.Clone(o.APIOptions), func(f func(*middleware.Stack) error) bool { return f == nil })
}
