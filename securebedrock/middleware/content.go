package middleware

// Content is a kind of content that InputCheck may not be able to check.
type Content string

// The kinds of content.
const (
	Audio    Content = "audio"
	Video    Content = "video"
	Image    Content = "image"    // in a format other than PNG and JPEG, or in S3
	Document Content = "document" // not given as text: PDF and others, or in S3
	// Reasoning is encrypted reasoning, which cannot be checked. If Reasoning is
	// allowed, no reasoning is checked.
	Reasoning Content = "reasoning"
	// Body is an InvokeModel body that is not JSON.
	Body Content = "body"
	// Stream is an InvokeModelWithBidirectionalStream. Its input comes after the call.
	Stream Content = "stream"
	// Other is a kind that this package does not know.
	Other Content = "other content"
	// Text is text that the guardrail did not check, according to its answer. A
	// guardrail without a policy for text checks none. If Text or Image is allowed, the
	// content is still sent to the guardrail, and the call is not refused when the
	// guardrail did not check the content.
	Text Content = "text"
)

// contents are all of them.
func contents() []Content {
	return []Content{Audio, Video, Image, Document, Reasoning, Body, Stream, Other, Text}
}
