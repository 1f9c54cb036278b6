// Package bedrocktest is an Amazon Bedrock Runtime and an AWS STS to test
// against: a real server on a loopback address that speaks the services' own
// wire formats over HTTP/1.1 and HTTP/2, verifies every signature, evaluates
// guardrails, and fails on demand.
//
//	func TestMyApplication(t *testing.T) {
//		server := bedrocktest.NewServer(t)
//		client, err := securebedrock.NewFromConfig(server.Config(), server.Options())
//		...
//	}
//
// Any SDK can be pointed at [Server.URL]; the plain bedrockruntime.Client of a
// test takes [Server.Config].
//
// # The model
//
// Every known chat model answers, deterministically, by quoting the beginning of
// the last user text, or by using a tool where the request's tool choice demands
// one. [Server.Reply] puts a function in the model's place; [Text], [ToolUse] and
// [Content] make its answers, [Script] gives several in order. Stop sequences and
// the maximum of tokens end either answer. A token is a word. [Collect] reads a
// streamed answer.
//
// # InvokeModel
//
// InvokeModel and InvokeModelWithResponseStream take and give the bodies of the
// model's own family: Anthropic's messages and completions, Nova, Titan text,
// Llama, Mistral, AI21 Jamba and Jurassic, Cohere Command and Command R, DeepSeek,
// gpt-oss and whatever else has the form of chat completions, TwelveLabs Pegasus.
// The prompt reaches Reply translated, tools and tool results with it, and the
// answer goes back in the family's form. Embeddings (Titan, Nova, Cohere) are
// vectors in which texts that share words are near each other; rerank (Cohere,
// Amazon) ranks by shared words; images (Titan, Nova Canvas, Stability) are a small
// PNG. Those three do not ask Reply.
//
// Inference profiles speak the form of the model behind them. The model behind an
// application inference profile is named with [Server.AddInferenceProfile].
// [Server.ReplyInvoke] answers for models whose bodies the server does not know,
// and in the place of those that it does.
//
// # What is checked
//
// Signature Version 4 is verified on every request, including each frame that
// InvokeModelWithBidirectionalStream sends: what is not signed, or not with
// credentials that this server knows, gets the 403 that AWS would send. The
// server knows one fixed pair of keys, the one of [Server.Config], and the
// sessions that its own STS has issued. Bearer tokens are refused and
// recorded. [Server.Calls] returns every request received, those refused too.
//
// # What is refused
//
// A request that Bedrock refuses is refused: with a ValidationException, status
// 400 and a message close to Bedrock's that repeats no value of the request. Each
// request is held against the constraints of AWS's own API model, for every
// operation: required members, lengths, ranges, patterns, enums, unions. Then
// against what the documentation and Bedrock's messages say beside it:
//
//   - the model exists ([WithModels] adds one), and Converse takes it
//   - turns alternate, begin with the user and hold content that is not blank;
//     Claude 4.6 and later continue no message of the assistant's
//   - each tool use has its result in the next message, and each result its use;
//     tools are defined, have names of their own and a schema of type object
//   - a document has a text beside it, a name of the documented characters that
//     no other has, and at most four others; an image is one of its format
//   - a body of InvokeModel has what its model requires: of Anthropic's models
//     all of the above, of Titan, Nova, Llama, Mistral and Cohere's embeddings
//     the prompt
//
// Where it is not certain that Bedrock refuses, the server does not: which models
// a region has and which need an inference profile; fields that a model does not
// know; which models take system prompts, tools, images or cache points; two
// messages of one role in an InvokeModel body; images in the assistant's messages;
// blank text in tool results, guardContent and system prompts; whether a tool that
// was used is still defined; what a body holds of the models not named above.
//
// # What is scripted
//
// [Server.Fail] scripts faults per operation: throttling, server errors,
// stalls, dropped connections, truncated streams, exceptions in the middle of
// a stream, redirects. [Server.AddGuardrail] defines guardrails of denied
// words, profanity, topics, personal data, content filters and contextual
// grounding. [Server.AsyncJobs] scripts how jobs of StartAsyncInvoke go.
//
// What is wrong with a Reply itself (a panic, half a usage, arguments that do not
// encode) is reported to the test of [NewServer], and reaches the client as an
// InternalServerException that names the fault.
//
// # What it is not
//
// It knows no IAM policy, no quotas and no model's own parameters, and its
// guardrails match words and patterns where Bedrock's understand language.
package bedrocktest
