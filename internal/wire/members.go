package wire

import (
	"github.com/aws/smithy-go"
	smithydocument "github.com/aws/smithy-go/document"
)

// readMembers reads a structure. It calls member for each member that the request
// has, and skips a member that member leaves unread. A strict reader refuses to skip:
// a member that has a schema is no document.
//
// The SDK decodes every type of the API except the operations' inputs, which only a
// client writes. The decoders of this package read the members of those by name.
func readMembers(d smithy.ShapeDeserializer, schema *smithy.Schema, member func(m *smithy.Schema) (read bool, err error)) error {
	return smithy.ReadStruct(d, schema, func(m *smithy.Schema) error {
		read, err := member(m)
		if read || err != nil {
			return err
		}
		var skipped smithydocument.Value
		return d.ReadDocument(m, &skipped)
	})
}

// readList calls item for each element of a list but the nulls.
func readList(d smithy.ShapeDeserializer, schema *smithy.Schema, item func() error) error {
	return smithy.ReadList(d, schema, func() error {
		if null, err := d.ReadNil(schema.ListMember()); null || err != nil {
			return err
		}
		return item()
	})
}
