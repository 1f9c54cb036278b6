package wire

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// unknownError says that an answer has what the SDK does not know. The SDK's encoder
// would leave it out, and the answer would look whole.
type unknownError struct{ path string }

func (e *unknownError) Error() string {
	return "the answer has a member that this release of the SDK does not know, in " + e.path
}

// in puts the name of an outer value before the path.
func (e *unknownError) in(name string) *unknownError {
	if e.path == "" {
		return &unknownError{name}
	}
	return &unknownError{name + "." + e.path}
}

// checkKnown refuses a value whose unions have lost their members. What the SDK
// (bedrockruntime v1.63.11) makes of a member that it does not know:
//   - a union of a structure, or of another union, is nil;
//   - an element of a list is nil, or the element before it once more, because the
//     SDK's deserializers use one variable for all elements.
func checkKnown(v any) error {
	value := reflect.ValueOf(v)
	if value.Kind() != reflect.Pointer || value.IsNil() {
		return fmt.Errorf("%T is nil or no type of the SDK", v)
	}
	if err := knownValue(value); err != nil {
		return unknownPart(err.in(strings.TrimPrefix(fmt.Sprintf("%T", v), "*")).Error())
	}
	return nil
}

// unknownPart is the answer in the place of one that cannot be passed on whole.
func unknownPart(message string) *Error {
	return &Error{Status: StatusOf("ModelErrorException"), Code: "ModelErrorException", Message: message}
}

func knownValue(v reflect.Value) *unknownError {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		if _, unknown := v.Interface().(*types.UnknownUnionMember); unknown {
			return &unknownError{}
		}
		return knownValue(v.Elem())
	case reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if d, ok := v.Interface().(document.Interface); ok {
			// The SDK's encoder writes nothing at all for a document that does not encode.
			if _, err := d.MarshalSmithyDocument(); err != nil {
				return &unknownError{}
			}
			return nil
		}
		if v.Elem().Kind() != reflect.Pointer || v.Elem().IsNil() {
			return &unknownError{}
		}
		return knownValue(v.Elem())
	case reflect.Struct:
		return knownStruct(v)
	case reflect.Slice:
		return knownSlice(v)
	case reflect.Map:
		if flat(v.Type().Elem().Kind()) {
			return nil
		}
		for _, key := range v.MapKeys() {
			if err := knownValue(v.MapIndex(key)); err != nil {
				return err
			}
		}
	}
	return nil
}

func knownStruct(v reflect.Value) *unknownError {
	if lostUnion(v) {
		return &unknownError{}
	}
	for i := range v.NumField() {
		field := v.Field(i)
		if flat(field.Kind()) || !field.CanInterface() {
			continue
		}
		if field.Kind() == reflect.Interface && field.IsNil() && v.Type().Field(i).Name == "Value" { // the member of a union
			return &unknownError{}
		}
		if err := knownValue(field); err != nil {
			return err.in(v.Type().Field(i).Name)
		}
	}
	return nil
}

func knownSlice(v reflect.Value) *unknownError {
	if flat(v.Type().Elem().Kind()) {
		return nil
	}
	for i := range v.Len() {
		item := v.Index(i)
		if item.Kind() == reflect.Interface && (item.IsNil() || i > 0 && samePointer(item.Elem(), v.Index(i-1).Elem())) {
			return &unknownError{}
		}
		if err := knownValue(item); err != nil {
			return err
		}
	}
	return nil
}

func samePointer(a, b reflect.Value) bool {
	return a.Kind() == reflect.Pointer && b.Kind() == reflect.Pointer && a.Pointer() == b.Pointer()
}

// flat reports whether values of a kind hold no union.
func flat(k reflect.Kind) bool { return k <= reflect.Complex128 || k == reflect.String }

// lostUnion reports whether a union that the API's model requires is nil. The start of
// a content block is left out: some models send it empty, and what is in the block
// comes with the deltas.
func lostUnion(v reflect.Value) bool {
	switch v := v.Interface().(type) {
	case bedrockruntime.ConverseOutput:
		return v.Output == nil
	case types.ContentBlockDeltaEvent:
		return v.Delta == nil
	case types.AudioBlock:
		return v.Source == nil && v.Error == nil
	case types.ImageBlock:
		return v.Source == nil && v.Error == nil
	case types.DocumentBlock:
		return v.Source == nil
	case types.VideoBlock:
		return v.Source == nil
	}
	return false
}
