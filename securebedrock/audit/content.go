package audit

// ContentMode selects what a record holds of prompts and answers.
type ContentMode string

// The content modes. Images, documents, audio and video are counted, measured and
// digested, and never stored, whatever the mode. This holds for those in blocks of
// their own, a document's or search result's text among them, and for those within a
// body, a tool's JSON or a text: what a known name, a data URL, a known format or at
// least 256 characters of base64 tells. "[IMAGE]", "[DOCUMENT]", "[AUDIO]",
// "[VIDEO]" or "[DATA]" stands in their place, and a Block of their own follows. What
// a model writes of such data in pieces of several events of an InvokeModel stream is
// not seen. A body that is no JSON is not stored.
const (
	// ContentNone: of the prompt the counts of its messages, blocks and bytes; of
	// the answer nothing.
	ContentNone ContentMode = ""
	// ContentDigest: an HMAC-SHA-256 of each block and of them all.
	ContentDigest ContentMode = "digest"
	// ContentRedacted: the text after ContentPolicy.Redactor.
	ContentRedacted ContentMode = "redacted"
	// ContentFull: the text.
	ContentFull ContentMode = "full"
)

// Content is what a record holds of a prompt or an answer.
type Content struct {
	Mode   ContentMode `json:"mode,omitempty"`
	Reason string      `json:"reason,omitempty"` // of ContentFull
	// Messages counts the messages of a conversation, Bytes the bytes of all text
	// and media in it, Kinds its blocks by kind: "text", "image", "tool_result", …
	Messages int            `json:"messages,omitempty"`
	Bytes    int64          `json:"bytes,omitempty"`
	Kinds    map[string]int `json:"kinds,omitempty"`
	// Digest is over the digests of all blocks, with the key KeyID. See DigestOf.
	Digest string  `json:"digest,omitempty"`
	KeyID  string  `json:"key_id,omitempty"`
	Blocks []Block `json:"blocks,omitempty"`
	// Omitted counts the blocks that are not in Blocks.
	Omitted int `json:"omitted,omitempty"`
	// Incomplete: there is content that this version does not know, or that did not
	// pass through this package, such as what is sent into a bidirectional stream.
	// This content is not recorded, and Digest does not cover it.
	Incomplete bool `json:"incomplete,omitempty"`
}

// Block is one block of a prompt or answer.
type Block struct {
	Role      string `json:"role,omitempty"` // system, user, assistant, tool
	Kind      string `json:"kind"`
	Format    string `json:"format,omitempty"` // png, pdf, …
	Bytes     int    `json:"bytes"`
	Digest    string `json:"digest,omitempty"`
	Text      string `json:"text,omitempty"`
	Truncated bool   `json:"truncated,omitempty"`
	// Withheld is the reason that Text is missing although the mode stores text:
	// "redactor_panicked", or "redaction_timeout" if the Redactor took too long.
	Withheld string `json:"withheld,omitempty"`
}
