// Package bedrockhttp is a guarded client behind HTTP, for programs whose SDK signs and
// sends its requests by itself. Transport stands in such an SDK's HTTP client. Handler
// is the same as a server, for programs in other processes.
//
// Both take requests in Bedrock Runtime's REST form, whatever host, region, signature
// or token they carry. Each request becomes a call of a securebedrock.Client: the
// rules, the guardrail, the retries, the middleware and the record are the Client's.
// The caller's signature, keys and tokens never leave the process. The answer comes
// back in Bedrock's form.
//
// # Refusals
//
// A refusal is an answer of the service's form, which each SDK shows as its own error
// and does not send again: status 403, AccessDeniedException, and the text of the
// *securebedrock.PolicyError with the rule and the remedy. An error of Bedrock keeps
// its status, code, message, request ID and Retry-After. A request that the SDK's types
// cannot hold is refused by name, and nothing of it is sent.
//
// # Streams
//
// Each event is passed on when it arrives, and the next one is taken when the caller
// has taken it. A stream ends without an exception only where the Client's stream ended
// without an error.
package bedrockhttp
