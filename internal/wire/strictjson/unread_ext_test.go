package strictjson_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/document"

	"github.com/securebedrock/securebedrock-go/internal/wire/strictjson"
)

// A type that leaves a member of the schema unread would lose the member.
func TestUnreadMembersAreRefused(t *testing.T) {
	nothing := func() error { return nil }
	for name, read := range map[string]func(d smithy.ShapeDeserializer) error{
		"a structure's": func(d smithy.ShapeDeserializer) error {
			return smithy.ReadStruct(d, schemas.Message, func(*smithy.Schema) error { return nil })
		},
		"a structure's, skipped": func(d smithy.ShapeDeserializer) error {
			return smithy.ReadStruct(d, schemas.Message, func(m *smithy.Schema) error {
				var skipped document.Value
				return d.ReadDocument(m, &skipped)
			})
		},
		"a union's": func(d smithy.ShapeDeserializer) error {
			return smithy.ReadUnion(d, schemas.Message, func(*smithy.Schema) error { return nil })
		},
		"a list's": func(d smithy.ShapeDeserializer) error {
			return smithy.ReadStruct(d, schemas.Message, func(m *smithy.Schema) error { return smithy.ReadList(d, m, nothing) })
		},
		"a map's": func(d smithy.ShapeDeserializer) error {
			return smithy.ReadMap(d, schemas.ConverseRequest.Member("requestMetadata"), func(string) error { return nil })
		},
		"all of it": func(smithy.ShapeDeserializer) error { return nil },
	} {
		var fault *strictjson.Error
		if err := strictjson.Read([]byte(`{"content":[{"text":"a"},{"text":"b"}]}`), read); !errors.As(err, &fault) {
			t.Errorf("%s: %v", name, err)
		} else if strings.Contains(name, "structure's") && fault.Error() != "content is a member that this release does not read: remove the member" {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The first error stays: a caller that goes on after one gets no further.
func TestTheFirstErrorIsFinal(t *testing.T) {
	err := strictjson.Read([]byte(`{"role":7,"content":[]}`), func(d smithy.ShapeDeserializer) error {
		if err := d.ReadStruct(schemas.Message); err != nil {
			return err
		}
		m, err := d.ReadStructMember()
		if err != nil {
			return err
		}
		var text string
		if err := d.ReadString(m, &text); err == nil {
			t.Error("a number is read as a string")
		}
		for name, again := range map[string]func() error{
			"ReadString":       func() error { return d.ReadString(m, &text) },
			"ReadBool":         func() error { return d.ReadBool(m, new(bool)) },
			"ReadInt8":         func() error { return d.ReadInt8(m, new(int8)) },
			"ReadInt16":        func() error { return d.ReadInt16(m, new(int16)) },
			"ReadInt32":        func() error { return d.ReadInt32(m, new(int32)) },
			"ReadInt64":        func() error { return d.ReadInt64(m, new(int64)) },
			"ReadFloat32":      func() error { return d.ReadFloat32(m, new(float32)) },
			"ReadFloat64":      func() error { return d.ReadFloat64(m, new(float64)) },
			"ReadBlob":         func() error { return d.ReadBlob(m, new([]byte)) },
			"ReadTime":         func() error { return d.ReadTime(m, new(time.Time)) },
			"ReadStruct":       func() error { return d.ReadStruct(m) },
			"ReadList":         func() error { return d.ReadList(m) },
			"ReadMap":          func() error { return d.ReadMap(m) },
			"ReadNil":          func() error { _, err := d.ReadNil(m); return err },
			"ReadUnion":        func() error { _, err := d.ReadUnion(m); return err },
			"ReadDocument":     func() error { var v document.Value; return d.ReadDocument(m, &v) },
			"ReadStructMember": func() error { _, err := d.ReadStructMember(); return err },
			"ReadListItem":     func() error { _, err := d.ReadListItem(m); return err },
			"ReadMapKey":       func() error { _, _, err := d.ReadMapKey(m); return err },
		} {
			if again() == nil {
				t.Errorf("%s goes on", name)
			}
		}
		return nil
	})
	if err == nil || err.Error() != "role is not a string" {
		t.Error(err)
	}
}

// Objects of many keys are read in a time that grows with their size: a quadratic one
// would not end.
func TestManyKeys(t *testing.T) {
	var body strings.Builder
	body.WriteString(`{"toolUseId":"t","name":"n","input":{`)
	for i := range 500_000 {
		fmt.Fprintf(&body, `"k%d":0,`, i)
	}
	body.WriteString(`"k":{}}}`)
	var block types.ToolUseBlock
	if err := strictjson.Read([]byte(body.String()), block.Deserialize); err != nil {
		t.Fatal(err)
	}
	twice := strings.Replace(body.String(), `"k":{}`, `"k7":0`, 1)
	if err := strictjson.Read([]byte(twice), block.Deserialize); err == nil {
		t.Error("a key stands twice")
	}
}

func TestNames(t *testing.T) {
	for name, want := range map[string]string{
		"guardContent": "guardContent", "additionalModelRequestField": "additionalModelRequestField", "X-Amzn-Bedrock-Save": "X-Amzn-Bedrock-Save", "max_tokens": "max_tokens",
		"": "(no identifier)", "a b": "(no identifier)", "é": "(no identifier)", "a.b": "(no identifier)", strings.Repeat("a", 65): "(no identifier)",
		"AKIAIOSFODNN7EXAMPLE": "(no identifier)", "\n": "(no identifier)",
	} {
		if have := strictjson.Name(name); have != want {
			t.Errorf("%q: %q", name, have)
		}
	}
}
