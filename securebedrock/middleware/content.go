package middleware

// Content is a kind of content that InputCheck may not be able to check.
type Content string

// The kinds of content.
const (
	Audio    Content = "audio"
	Video    Content = "video"
	Image    Content = "image"    // in another format than PNG and JPEG, or in S3
	Document Content = "document" // not given as text: PDF and others, or in S3
	// Reasoning that is encrypted cannot be checked. Allowed, no reasoning is.
	Reasoning Content = "reasoning"
	// Body is an InvokeModel body that is not JSON.
	Body Content = "body"
	// Stream is an InvokeModelWithBidirectionalStream, whose input comes later.
	Stream Content = "stream"
	// Other is a kind that this package does not know.
	Other Content = "other content"
	// Text is what the guardrail's answer says that it did not look at, as one that
	// has no policy for text does. Allowed, Image and Text are sent and not insisted on.
	Text Content = "text"
)

// contents are all of them.
func contents() []Content {
	return []Content{Audio, Video, Image, Document, Reasoning, Body, Stream, Other, Text}
}
