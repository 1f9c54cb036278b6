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
// Every model identifier answers, deterministically, by quoting the beginning
// of the last user text. [Server.Reply] puts a function in the model's place.
// A token is a word.
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
// # What is scripted
//
// [Server.Fail] scripts faults per operation: throttling, server errors,
// stalls, dropped connections, truncated streams, exceptions in the middle of
// a stream, redirects. [Server.AddGuardrail] defines guardrails of denied
// words, topics and personal data.
//
// # What it is not
//
// It knows no IAM policy, no quotas and no model's own parameters, and its
// guardrails match words and patterns where Bedrock's understand language.
package bedrocktest
