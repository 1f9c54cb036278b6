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
//     coverage, locations, defaults. The rules stand where the SDK's serializer stood
//     and call the serializer themselves, so nothing changes the input between the
//     two. The rules judge a pass once, and with the input that the chain passed on.
//  4. Retries, with one rate limit and one quota per model; then credentials,
//     endpoint and SigV4 for each attempt.
//  5. The gate: host, scheme, path, body, Bedrock's headers, region, service and
//     access key of the signed request must be those that the rules approved. The
//     gate sends by itself, once an attempt, through a transport of its own.
//  6. On the way back: redirects are refused; an observer on a stream's body sees
//     to it that the stream ends properly or with an error.
//  7. An answer of status 200 that lacks what it is for (ErrAnswerIncomplete) is
//     refused.
//  8. Result.OnDone, with an Outcome, exactly once.
//
// A caller's per-call options (optFns) may add a header, a middleware or an
// interceptor. A step of the SDK's stack may look at the input. A step that changes the
// input behind Options.Middleware, or calls its next handler twice, fails the call.
// Client's methods put options back that would move the call.
// On the Runtime client, where nothing runs after them, the gate refuses what
// they have moved; taking the guard out of the stack leaves a client without
// credentials and without a way to the network.
//
// # Retries, timeouts and sessions
//
// Sent again, Retry.MaxAttempts sends in all:
//
//   - throttles, 429, 5xx, ModelTimeoutException and ModelNotReadyException;
//   - a connection that could not be made, was lost, or is dead: HTTP/2 asks a
//     silent one for a sign of life, at a quarter of Timeouts.Read (or Call, where
//     that is shorter), every 15 s at least, and the system watches TCP's
//     acknowledgements. The next attempt has a new connection;
//   - a read timeout (ErrReadTimeout) before the request was wholly sent;
//   - ErrReadTimeout of CountTokens, GetAsyncInvoke and ListAsyncInvokes, which cost
//     nothing, and of StartAsyncInvoke, whose client token keeps it from starting
//     twice;
//   - a stream, before its first event only, and a bidirectional one never.
//
// Not sent again:
//
//   - a request that was wholly sent on a connection that lives, when nothing came
//     back for Timeouts.Read: the model may have run, and each send may be paid for.
//     Retry.ResendAfterReadTimeout gives that up. Over HTTP/1.1 a peer that is gone
//     behind a proxy or a load balancer which still answers for it looks the same;
//   - a throttle that names a quota of the day ("Too many tokens per day");
//   - a refusal, and any other answer.
//
// Credentials that Bedrock calls expired (ExpiredTokenException) are dropped and the
// call is sent once more, beyond Retry.MaxAttempts: with a new session of the Role,
// with what the configuration's provider gives then, and with New from the shared
// files and the environment as they are then. Static credentials, which a
// configuration loaded by the application has from a file, stay what they are. A
// bidirectional stream is not sent again.
//
// The waits are the SDK's backoff, at most Retry.MaxBackoff, or what Retry-After
// asks for; and the rate limit: a model that throttles is given fewer calls a
// second until it recovers, and no other model is. A call waits for Retry.MaxWait
// in all. Past that, or at once where a wait would pass the call's deadline, the
// call fails with the throttle in its error (errors.As). Close ends the waits.
//
// Each of the Timeouts ends a call with a *TimeoutError of its own rule.
//
// A Role's session is renewed beside the calls from five minutes before its end;
// only a call that finds no valid session waits for STS. A session that no call
// uses is not renewed. Credentials without a Role are renewed as the AWS
// configuration's own provider does it, which may make a call wait. In a Lambda
// function call Warm in init: the first call then finds a connection and a session.
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
// that nobody reads or closes end after Timeouts.Read, or a second after the
// client's Close. Who reads it later still comes to its error. The Outcome's Err is
// the stream's own.
//
// InvokeModelWithBidirectionalStream always returns, with the refusal or the
// context's error, also where the plain SDK would wait for ever. Its stream ends
// with the context's error, ErrCallTimeout, ErrReadTimeout, or ErrStreamTruncated
// after Client.Close; Send returns the same, or the SDK's "stream closed". It is
// sent once: the SDK leaves its caller with the first request's writer, so that
// neither a throttle nor a lost connection is sent again. When both sides are
// silent for Timeouts.Read it ends.
//
// # The end of a client
//
// Client.Shutdown waits for the calls in flight and for their OnDone functions, so
// that what records them can be closed after it. Client.Close does not wait.
//
// A panic of a function that was given to OnDone, or set as Call.OnEvent, is caught
// and written to the logger of the aws.Config, and so without the panic's value,
// which may hold a prompt. A panic of a Middleware goes on to the caller of the
// method; in a bidirectional call, which the SDK runs on a goroutine of its own, it
// becomes the call's error.
//
// # What a guardrail does not scan
//
// The guardrail is on every call, but it does not scan every part of a call. It does
// not scan tool definitions, tool arguments, tool results, reasoning, audio and video,
// and a system prompt only inside guardContent. InvokeModel looks for prompt attacks in
// tagged input only. No page of AWS says whether documents and search results are
// scanned. The whole table, and what to do about each row:
// https://github.com/securebedrock/securebedrock-go/blob/main/docs/guardrail-coverage.md
//
// ApplyGuardrail scans all text that it is given. The package middleware has InputCheck,
// which calls it on a request's content first.
//
// # After a block
//
// A guardrail scans every turn of a conversation. A blocked turn that stays in the
// history blocks all later turns. Remove it, the user's message and the guardrail's
// answer, and continue from the turns before (the example of Client.Converse). Guarding
// only the last turn, with guardContent, would unguard all others. The client refuses
// this unless Guardrail.AllowPartial permits it.
//
// # Other accounts and places
//
// What a call names beside its model is held to the Options too: an ARN must be of
// the pinned partition and region and of a permitted account (Options.Accounts),
// and so must a KMS key and the owner of a bucket. Where a plain bucket lies, no
// name tells: grant the role the buckets of the region alone. Places within a
// model's own JSON (an InvokeModel body, ModelInput, AdditionalModelRequestFields,
// tools' JSON) are not looked at.
//
// # What it does not do
//
// It does not defend against code in the same process that means harm, nor
// against the account: whoever holds the role can call Bedrock without this
// package. IAM conditions, service control policies and account-enforced
// guardrails close that side.
package securebedrock
