// Package content walks over the content of an input of Bedrock Runtime: the blocks of
// a conversation, and what stands in them. The walk gives a visitor one Piece after the
// other, and leaves to the visitor what a piece means.
//
// The walk names every member of the SDK's unions. A member that the walk does not know
// is a piece of kind Other, so that no visitor takes an input for the whole of what it
// cannot see. The walk itself allocates nothing.
package content

import "github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"

// Kind is what a piece is.
type Kind uint8

// The kinds of piece. The comment names the fields that are set.
const (
	// Other is a member of a union that the walk does not know. Piece.Of is the kind of
	// what the member stands in, and Other for a block.
	Other Kind = iota

	Text               // Text
	GuardContent       // Text, of a guardContent block
	ToolUse            // JSON: the arguments
	ToolResult         // Text
	ToolResultJSON     // JSON
	Reasoning          // Text
	ReasoningEncrypted // Data
	Cited              // Text: what the model wrote
	Citation           // Text and Second: title and source, then Text: a passage of the source
	SearchResult       // Text and Second: title and source
	SearchPassage      // Text
	DocumentName       // Text
	DocumentContext    // Text
	DocumentText       // Text, and Format of the document
	Variable           // Text: the value of a prompt variable
	ToolDefinition     // Text and Second: name and description
	ToolSchema         // JSON

	// The media. Source says whether Data or URI is set.

	Image
	Video
	Audio
	Document
)

// Source is where the bytes of a medium are.
type Source uint8

// The sources.
const (
	Unknown Source = iota // of a kind that the walk does not know
	Bytes                 // in Piece.Data
	S3                    // at Piece.URI
)

// Piece is one piece of content. Its strings and bytes are the caller's own.
type Piece struct {
	Kind     Kind
	Of       Kind   // of Other
	Source   Source // of a medium
	InResult bool   // the piece stands in a tool's result
	Listed   bool   // the SDK lists Format
	Format   string // of a medium or a document: "png", "pdf", …, or anything else that a caller wrote
	Text     string
	Second   string
	Data     []byte
	URI      *string
	JSON     document.Interface
}
