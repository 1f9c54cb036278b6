package wire

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
	smithydocument "github.com/aws/smithy-go/document"
	smithyjson "github.com/aws/smithy-go/document/json"

	"github.com/securebedrock/securebedrock-go/internal/wire/strictjson"
)

// rawDocument is a document that keeps its JSON as the request has it: the order of
// keys, which a tool's schema gives to the model, and the text of numbers.
type rawDocument struct {
	document.Interface // the SDK takes its own documents alone
	raw                []byte
}

func newDocument(raw []byte) document.Interface {
	return &rawDocument{Interface: document.NewLazyDocument(nil), raw: raw}
}

// MarshalSmithyDocument implements document.Marshaler.
func (d *rawDocument) MarshalSmithyDocument() ([]byte, error) { return bytes.Clone(d.raw), nil }

// UnmarshalSmithyDocument implements document.Unmarshaler.
func (d *rawDocument) UnmarshalSmithyDocument(v any) error {
	decoder := json.NewDecoder(bytes.NewReader(d.raw))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return err
	}
	return smithyjson.NewDecoder().DecodeJSONInterface(tree, v)
}

// readDocument reads a document member.
func readDocument(d smithy.ShapeDeserializer, schema *smithy.Schema) (document.Interface, error) {
	var value smithydocument.Value
	if err := d.ReadDocument(schema, &value); err != nil {
		return nil, err
	}
	opaque, ok := value.(smithydocument.Opaque)
	if !ok {
		return nil, errors.New("the value is no document")
	}
	raw, err := json.Marshal(opaque.Value)
	if own, ok := opaque.Value.(strictjson.Document); ok {
		raw = own
	}
	return newDocument(raw), err
}

// keepDocuments gives the documents that the SDK's types have read their own JSON. The
// SDK's document of a strictjson.Document would encode, and would not decode.
func keepDocuments(input any) {
	switch in := input.(type) {
	case *bedrockruntime.ConverseInput:
		keepConversation(in.Messages, in.ToolConfig)
	case *bedrockruntime.ConverseStreamInput:
		keepConversation(in.Messages, in.ToolConfig)
	case *bedrockruntime.CountTokensInput:
		if v, ok := in.Input.(*types.CountTokensInputMemberConverse); ok {
			keepConversation(v.Value.Messages, v.Value.ToolConfig)
			keep(&v.Value.AdditionalModelRequestFields)
		}
	}
}

func keepConversation(messages []types.Message, tools *types.ToolConfiguration) {
	for _, message := range messages {
		for _, block := range message.Content {
			switch v := block.(type) {
			case *types.ContentBlockMemberToolUse:
				keep(&v.Value.Input)
			case *types.ContentBlockMemberToolResult:
				for _, content := range v.Value.Content {
					if v, ok := content.(*types.ToolResultContentBlockMemberJson); ok {
						keep(&v.Value)
					}
				}
			}
		}
	}
	if tools == nil {
		return
	}
	for _, tool := range tools.Tools {
		spec, ok := tool.(*types.ToolMemberToolSpec)
		if !ok {
			continue
		}
		if v, ok := spec.Value.InputSchema.(*types.ToolInputSchemaMemberJson); ok {
			keep(&v.Value)
		}
	}
}

func keep(d *document.Interface) {
	if holder, ok := (*d).(interface{ Value() any }); ok {
		if raw, ok := holder.Value().(strictjson.Document); ok {
			*d = newDocument(raw)
		}
	}
}
