package rules

import (
	"bytes"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

// The limits of API_runtime_Message.
const (
	maxDocuments  = 5
	maxImages     = 20
	maxImageBytes = 3_932_160 // 3.75 MB
)

// checkContent checks images and documents.
func (c *converseRequest) checkContent() error {
	names := make(map[string]bool)
	documents := 0
	for i, m := range c.in.Messages {
		images, docs, texts := 0, 0, 0
		for _, block := range m.Content {
			switch b := block.(type) {
			case *types.ContentBlockMemberText:
				texts++
			case *types.ContentBlockMemberGuardContent:
				if g, ok := b.Value.(*types.GuardrailConverseContentBlockMemberImage); ok {
					if source, ok := g.Value.Source.(*types.GuardrailConverseImageSourceMemberBytes); ok {
						if err := checkImage(string(g.Value.Format), source.Value); err != nil {
							return err
						}
					}
					continue
				}
				texts++
			case *types.ContentBlockMemberImage:
				images++
				if err := c.checkImageBlock(b.Value); err != nil {
					return err
				}
			case *types.ContentBlockMemberDocument:
				docs++
				if m.Role == types.ConversationRoleAssistant {
					return wire.Invalid("messages.%d.content: documents can only be included if the role is user.", i)
				}
				if err := checkDocumentBlock(b.Value, names); err != nil {
					return err
				}
			case *types.ContentBlockMemberToolResult:
				if err := c.checkResultContent(b.Value); err != nil {
					return err
				}
			}
		}
		documents += docs
		switch {
		case docs > 0 && texts == 0:
			return wire.Invalid("A text block must be included when using documents.")
		case images > maxImages:
			return wire.Invalid("You can't include more than %d images in a message.", maxImages)
		}
	}
	if documents > maxDocuments {
		return wire.Invalid("You can't include more than %d documents in a request.", maxDocuments)
	}
	return nil
}

// checkResultContent checks the content of a tool's result. Its documents are not
// counted with those of the messages, since no documentation says so.
func (c *converseRequest) checkResultContent(result types.ToolResultBlock) error {
	names := make(map[string]bool)
	for _, block := range result.Content {
		var err error
		switch b := block.(type) {
		case *types.ToolResultContentBlockMemberImage:
			err = c.checkImageBlock(b.Value)
		case *types.ToolResultContentBlockMemberDocument:
			err = checkDocumentBlock(b.Value, names)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *converseRequest) checkImageBlock(block types.ImageBlock) error {
	source, ok := block.Source.(*types.ImageSourceMemberBytes)
	if !ok {
		return nil
	}
	// Nova limits the request and not the image.
	if c.provider != "amazon" && len(source.Value) > maxImageBytes {
		return wire.Invalid("The model returned the following errors: image exceeds 3.75 MB maximum: %d bytes", len(source.Value))
	}
	return checkImage(string(block.Format), source.Value)
}

// documentName is the rule of API_runtime_DocumentBlock. Bedrock takes ASCII letters
// only.
var documentName = regexp.MustCompile(`^(?:\s?[a-zA-Z0-9\-()\[\]])*\s?$`)

// checkDocumentBlock checks a document. names holds the names of the documents before,
// which the document's name must not repeat.
func checkDocumentBlock(block types.DocumentBlock, names map[string]bool) error {
	name := aws.ToString(block.Name)
	if !documentName.MatchString(name) {
		return wire.Invalid("The document file name can only contain alphanumeric characters, whitespace characters, hyphens, parentheses, and square brackets. " +
			"The name can't contain more than one consecutive whitespace character. Check that the file name conforms to these restrictions and retry your request.")
	}
	if names[name] {
		return wire.Invalid("Messages can't contain duplicate document names. Rename the document and retry your request.")
	}
	names[name] = true
	source, ok := block.Source.(*types.DocumentSourceMemberBytes)
	if !ok {
		return nil
	}
	whole := true
	switch block.Format {
	case types.DocumentFormatPdf:
		whole = bytes.Contains(source.Value[:min(len(source.Value), 1024)], []byte("%PDF-"))
	case types.DocumentFormatDocx, types.DocumentFormatXlsx:
		whole = bytes.HasPrefix(source.Value, []byte("PK\x03\x04"))
	}
	if !whole {
		return wire.Invalid("The model returned the following errors: The document does not match the specified document format.")
	}
	return nil
}

// checkGuardrailContent checks the images of an ApplyGuardrail.
func checkGuardrailContent(content []types.GuardrailContentBlock) error {
	for _, block := range content {
		if b, ok := block.(*types.GuardrailContentBlockMemberImage); ok {
			if source, ok := b.Value.Source.(*types.GuardrailImageSourceMemberBytes); ok {
				if err := checkImage(string(b.Value.Format), source.Value); err != nil {
					return err
				}
			}
		}
	}
	return nil
}
