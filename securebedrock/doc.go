// Package securebedrock is a drop-in for bedrockruntime.Client that keeps every
// call within what its owner configured: one region and host, the models and
// destination regions of a list, one guardrail, one set of credentials. What
// cannot be shown to be within it is refused before a byte leaves the process,
// with a *PolicyError that names the rule.
//
//	client, err := securebedrock.New(ctx, securebedrock.Options{
//		Region:    "eu-central-1",
//		Residency: securebedrock.Geography("eu"),
//		Guardrail: securebedrock.Guardrail{ID: "a1b2c3d4e5f6", Version: "3"},
//		Role:      &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/inference"},
//	})
//	out, err := client.Converse(ctx, &bedrockruntime.ConverseInput{…})
//
// # The life of a call
//
// Everything is installed in the SDK's own middleware stack, in stack.go, so
// that the methods of Client and the client of Client.Runtime are guarded by the
// same code:
//
//  1. Options.Middleware, the first outermost. It sees the Call, and the Result
//     or the refusal.
//  2. The SDK's own validation, and what the application has put into the stack.
//  3. The rules, on a copy of the input: operation, model, residency, guardrail,
//     coverage, defaults. They stand where the SDK's serializer stood and call it
//     themselves, so nothing changes the input between the two.
//  4. Retries, with one rate limit and one quota per model; then credentials,
//     endpoint and SigV4 for each attempt.
//  5. The gate: host, scheme, path, body, guardrail headers, region, service and
//     access key of the signed request must be those that the rules approved. It
//     sends by itself, through a transport of its own.
//  6. On the way back: redirects are refused; an observer on a stream's body sees
//     to it that the stream ends properly or with an error.
//  7. Result.OnDone, with an Outcome, exactly once.
//
// A caller's per-call options (optFns) may add a header, a middleware or an
// interceptor. Options that would move the call are put back by Client's methods.
// On the Runtime client, where nothing runs after them, the gate refuses what
// they have moved; taking the guard out of the stack leaves a client without
// credentials and without a way to the network.
//
// # Streams
//
// A ConverseStream that ends without messageStop, inside an event or with a lost
// connection ends with ErrStreamTruncated as its stream's Err, where the plain
// SDK reports a complete answer. One that is silent for Timeouts.Read ends with
// ErrReadTimeout. InvokeModelWithResponseStream has no event that announces its
// end for every model; there a torn event and a lost connection are errors.
//
// Close a stream, as with the SDK. A cancelled context completes its record at
// once and frees the connection; the SDK's goroutines behind a cancelled stream
// that nobody reads or closes end after Timeouts.Read, or a second after Close. InvokeModelWithBidirectionalStream
// leaves one parked goroutine a call in the SDK itself (bedrockruntime v1.63.11,
// newAsyncEventStreamReader), which cannot be ended from outside.
//
// # What it does not do
//
// It does not defend against code in the same process that means harm, nor
// against the account: whoever holds the role can call Bedrock without this
// package. IAM conditions, service control policies and account-enforced
// guardrails close that side.
package securebedrock
