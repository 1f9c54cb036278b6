package securebedrock

import (
	"context"
	"reflect"
	"slices"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
)

// refuseService makes the client of another service refuse each call at its first step.
// A refusal of the HTTP client would be taken for a lost connection and sent again.
// options point to the Options of the service's package.
func refuseService(options any) {
	v := reflect.ValueOf(options)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return
	}
	field := v.Elem().FieldByName("APIOptions")
	if !field.CanAddr() {
		return
	}
	if list, ok := field.Addr().Interface().(*[]func(*middleware.Stack) error); ok {
		*list = append(slices.Clip(*list), func(stack *middleware.Stack) error {
			return stack.Initialize.Add(otherServiceStep{}, middleware.Before)
		})
	}
}

// otherServiceStep refuses a call of another service.
type otherServiceStep struct{}

func (otherServiceStep) ID() string { return "securebedrock:other service" }

func (otherServiceStep) HandleInitialize(ctx context.Context, _ middleware.InitializeInput, _ middleware.InitializeHandler) (
	out middleware.InitializeOutput, metadata middleware.Metadata, err error,
) {
	return out, metadata, otherService(middleware.GetOperationName(ctx), awsmiddleware.GetServiceID(ctx))
}
