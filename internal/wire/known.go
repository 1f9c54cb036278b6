package wire

import (
	"fmt"
	"reflect"

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

// checkKnown refuses a value whose unions have lost their members. What the SDK
// (bedrockruntime v1.63.11) makes of a member that it does not know:
//   - a union of a structure, or of another union, is nil;
//   - an element of a list is nil, or the element before it once more, because the
//     SDK's deserializers use one variable for all elements.
func checkKnown(v any) error {
	if value := reflect.ValueOf(v); value.Kind() != reflect.Pointer || value.IsNil() {
		return fmt.Errorf("%T is nil or no type of the SDK", v)
	}
	return knownValue(reflect.ValueOf(v), fmt.Sprintf("%T", v))
}

func knownValue(v reflect.Value, path string) error {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return nil
		}
		if _, unknown := v.Interface().(*types.UnknownUnionMember); unknown {
			return &unknownError{path}
		}
		return knownValue(v.Elem(), path)
	case reflect.Interface:
		if v.IsNil() {
			return nil
		}
		if d, ok := v.Interface().(document.Interface); ok {
			// The SDK's encoder writes nothing at all for a document that does not encode.
			_, err := d.MarshalSmithyDocument()
			return err
		}
		if v.Elem().Kind() != reflect.Pointer || v.Elem().IsNil() {
			return &unknownError{path}
		}
		return knownValue(v.Elem(), path)
	case reflect.Struct:
		if value := v.FieldByName("Value"); lostUnion(v) || value.Kind() == reflect.Interface && value.IsNil() {
			return &unknownError{path}
		}
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && !flat(f.Type.Kind()) {
				if err := knownValue(v.Field(i), path+"."+f.Name); err != nil {
					return err
				}
			}
		}
	case reflect.Slice:
		if flat(v.Type().Elem().Kind()) {
			return nil
		}
		var before any
		for i := range v.Len() {
			item := v.Index(i)
			if item.Kind() == reflect.Interface {
				if item.IsNil() || item.Interface() == before {
					return &unknownError{path}
				}
				before = item.Interface()
			}
			if err := knownValue(item, path); err != nil {
				return err
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			if err := knownValue(v.MapIndex(key), path); err != nil {
				return err
			}
		}
	}
	return nil
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
