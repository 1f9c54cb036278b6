package conversation

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// DocumentOf is a document of the SDK for a value that encoding/json encodes.
func DocumentOf(v any) document.Interface {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return &fixedDocument{Interface: document.NewLazyDocument(nil), err: err}
	}
	return RawDocument(bytes.TrimSpace(body.Bytes()))
}

// RawDocument is a document that is written as raw, which is JSON, and read as one
// that came over the wire.
func RawDocument(raw []byte) document.Interface {
	none := document.NewLazyDocument(nil)
	if !json.Valid(raw) {
		return &fixedDocument{Interface: none, err: errors.New("the document is not JSON")}
	}
	// The SDK has no other way to a document than a member that is one.
	var block types.ToolUseBlock
	if err := wire.DecodeBody(slices.Concat([]byte(`{"input":`), raw, []byte("}")), block.Deserialize); err != nil {
		return &fixedDocument{Interface: none, err: err}
	}
	if block.Input == nil {
		block.Input = none
	}
	return &fixedDocument{Interface: block.Input, raw: raw}
}

// fixedDocument is written as raw, or not at all.
type fixedDocument struct {
	document.Interface
	raw []byte
	err error
}

// MarshalSmithyDocument implements document.Marshaler.
func (d *fixedDocument) MarshalSmithyDocument() ([]byte, error) { return d.raw, d.err }

// ToolInput is the JSON of a tool's arguments.
func ToolInput(use types.ToolUseBlock) (string, error) {
	if use.Input == nil {
		return "{}", nil
	}
	input, err := use.Input.MarshalSmithyDocument()
	return string(input), err
}

// ReadDocument reads a document into a value of encoding/json's.
func ReadDocument(doc document.Interface, into any) bool {
	if doc == nil {
		return false
	}
	body, err := doc.MarshalSmithyDocument()
	return err == nil && json.Unmarshal(body, into) == nil
}
