// Package bedrocktest is an Amazon Bedrock Runtime and an AWS STS to test against.
// It is a real server on a loopback address: it speaks the services' own wire
// formats over HTTP/1.1 and HTTP/2, verifies every signature, evaluates guardrails,
// and fails on demand.
//
//	func TestMyApplication(t *testing.T) {
//		server := bedrocktest.NewServer(t)
//		client, err := securebedrock.NewFromConfig(server.Config(), server.Options())
//		...
//	}
//
// Any SDK can use [Server.URL]. A plain bedrockruntime.Client uses
// [Server.Config].
//
// # The model
//
// Every known chat model answers, deterministically. It quotes the beginning of the
// last user text, or uses a tool if the request's tool choice demands one.
// [Server.Reply] puts a function in the model's place. [Text], [ToolUse] and
// [Content] make that function's answers, and [Script] gives several in order. The
// request's stop sequences and maximum of tokens end an answer. A token is a word.
// [Collect] reads a streamed answer.
//
// # InvokeModel
//
// InvokeModel and InvokeModelWithResponseStream use the bodies of the model's own
// family: Anthropic's messages and completions, Nova, Titan text, Llama, Mistral,
// AI21 Jamba and Jurassic, Cohere Command and Command R, DeepSeek, gpt-oss and other
// chat completions, TwelveLabs Pegasus. Reply gets the prompt translated, with tools
// and tool results, and its answer is translated back. Embeddings (Titan, Nova,
// Cohere) are vectors in which texts that share words are near each other. Rerank
// (Cohere, Amazon) ranks by shared words. Images (Titan, Nova Canvas, Stability) are
// a small PNG. Embeddings, rerank and images do not ask Reply.
//
// An inference profile uses the form of the model behind it.
// [Server.AddInferenceProfile] names the model behind an application inference
// profile. [Server.ReplyInvoke] answers for models whose bodies the server does not
// know, and can answer for the others.
//
// # What is checked
//
// The server verifies Signature Version 4 on every request, and on each frame that
// InvokeModelWithBidirectionalStream sends. A request that is unsigned, or signed
// with credentials that the server does not know, gets AWS's own 403. The server
// knows one fixed pair of keys, the one in [Server.Config], and the sessions that its
// own STS has issued. Bearer tokens are refused and recorded. [Server.Calls] returns
// every request, including those that were refused.
//
// # What is refused
//
// The server refuses what Bedrock refuses: with a ValidationException, status 400 and
// a message close to Bedrock's that repeats no value of the request. It checks every
// request against the constraints of AWS's own API model: required members, lengths,
// ranges, patterns, enums, unions. Then it checks what the documentation and
// Bedrock's messages say in addition:
//
//   - The model exists ([WithModels] adds one), and Converse takes the model.
//   - Turns alternate, begin with the user and hold content that is not blank. Claude
//     4.6 and later continue no message of the assistant.
//   - Each tool use has its result in the next message, and each result its use.
//     Tools are defined, have unique names and a schema of type object.
//   - A document has a text beside it, and a unique name of the documented
//     characters. A request has at most five documents. An image matches its format.
//   - An InvokeModel body has what its model requires: for Anthropic's models all of
//     the above, for Titan, Nova, Llama, Mistral and Cohere's embeddings the prompt.
//
// The server takes a request where it is not certain that Bedrock refuses: which
// models a region has and which need an inference profile; fields that a model does
// not know; which models take system prompts, tools, images or cache points; two
// messages of one role in an InvokeModel body; images in the assistant's messages;
// blank text in tool results, guardContent and system prompts; whether a tool that
// was used is still defined; the bodies of models not named above.
//
// # What is scripted
//
// [Server.Fail] scripts faults per operation: throttling, server errors, stalls,
// dropped connections, truncated streams, exceptions in the middle of a stream,
// redirects. [Server.AddGuardrail] defines guardrails of denied words, profanity,
// topics, personal data, content filters and contextual grounding.
// [Server.AsyncJobs] scripts the jobs of StartAsyncInvoke.
//
// A Reply can be at fault itself: a panic, half a usage, arguments that do not
// encode. Such a fault is reported to the test of [NewServer], and reaches the client
// as an InternalServerException that names the fault.
//
// # Limits
//
// The server knows no IAM policy, no quotas and no model's own parameters. Its
// guardrails match words and patterns, while Bedrock's understand language.
package bedrocktest
