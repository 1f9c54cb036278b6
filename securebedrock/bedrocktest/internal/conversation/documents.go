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

// DocumentOf returns a document of the SDK for a value that encoding/json encodes.
func DocumentOf(v any) document.Interface {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return &fixedDocument{Interface: document.NewLazyDocument(nil), err: err}
	}
	return RawDocument(bytes.TrimSpace(body.Bytes()))
}

// RawDocument returns a document that is written as raw, which must be JSON, and is
// read like one that the SDK has decoded.
func RawDocument(raw []byte) document.Interface {
	none := document.NewLazyDocument(nil)
	if !json.Valid(raw) {
		return &fixedDocument{Interface: none, err: errors.New("the document is not JSON")}
	}
	// The SDK offers no constructor. It makes a document while it decodes a member of
	// that type.
	var block types.ToolUseBlock
	if err := wire.DecodeBody(slices.Concat([]byte(`{"input":`), raw, []byte("}")), block.Deserialize); err != nil {
		return &fixedDocument{Interface: none, err: err}
	}
	if block.Input == nil {
		block.Input = none
	}
	return &fixedDocument{Interface: block.Input, raw: raw}
}

// fixedDocument is written as raw, or fails with err.
type fixedDocument struct {
	document.Interface
	raw []byte
	err error
}

// MarshalSmithyDocument implements document.Marshaler.
func (d *fixedDocument) MarshalSmithyDocument() ([]byte, error) { return d.raw, d.err }

// ToolInput returns the JSON of a tool's arguments.
func ToolInput(use types.ToolUseBlock) (string, error) {
	if use.Input == nil {
		return "{}", nil
	}
	input, err := use.Input.MarshalSmithyDocument()
	return string(input), err
}

// ReadDocument decodes a document into a value of encoding/json, and reports whether
// that worked.
func ReadDocument(doc document.Interface, into any) bool {
	if doc == nil {
		return false
	}
	body, err := doc.MarshalSmithyDocument()
	return err == nil && json.Unmarshal(body, into) == nil
}
