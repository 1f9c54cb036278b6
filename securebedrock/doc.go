// Package securebedrock is a drop-in for bedrockruntime.Client. It keeps every call
// within what Options permit: one region and host, the models and destination regions
// of a list, one guardrail, one set of credentials. A call that cannot be shown to be
// within the Options is refused before a byte leaves the process. The error is a
// *PolicyError that names the rule.
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
// Everything is installed in the SDK's own middleware stack, in stack.go. The same code
// guards the methods of Client and the client of Client.Runtime:
//
//  1. Options.Middleware runs, the first entry outermost. A Middleware sees the
//     Call, and then the Result or the refusal.
//  2. The SDK's own validation runs, and the steps that the application has put
//     into the stack.
//  3. The rules judge a copy of the input: operation, model, residency, guardrail,
//     coverage, locations, defaults. The rules stand where the SDK's serializer
//     stood and call the serializer themselves, so nothing changes the input
//     between the two. The rules judge a pass once, with the input that the chain
//     passed on.
//  4. Retries follow, with one rate limit and one quota per model. Each attempt
//     then has credentials, endpoint and SigV4.
//  5. The gate compares the signed request with what the rules approved: host,
//     scheme, path, body, Bedrock's headers, region, service and access key. The
//     gate sends the request itself, once an attempt, through a transport of its
//     own.
//  6. On the way back, redirects are refused. An observer on a stream's body
//     ensures that the stream ends properly or with an error.
//  7. An answer of status 200 that lacks what it is for (ErrAnswerIncomplete) is
//     refused.
//  8. Result.OnDone delivers an Outcome, exactly once.
//
// A caller's per-call options (optFns) may add a header, a middleware or an
// interceptor. A step of the SDK's stack may look at the input. A step that changes the
// input behind Options.Middleware fails the call. So does a step that calls its next
// handler twice. Client's methods restore options that would move the call. On the
// Runtime client nothing runs after the per-call options. There the gate refuses a call
// that they have moved. A client whose guard is taken out of the stack has no
// credentials and no way to the network.
//
// # Retries, timeouts and sessions
//
// Retry.MaxAttempts is the total number of sends. These are sent again:
//
//   - throttles, 429, 5xx, ModelTimeoutException and ModelNotReadyException;
//   - a call whose connection could not be made, was lost, or is dead. HTTP/2 asks
//     a silent connection for a sign of life at a quarter of Timeouts.Read (or of
//     Timeouts.Call, where that is shorter), and at least every 15 s. The operating
//     system watches TCP's acknowledgements. The next attempt has a new connection;
//   - a read timeout (ErrReadTimeout) before the request was wholly sent;
//   - ErrReadTimeout of CountTokens, GetAsyncInvoke and ListAsyncInvokes, which
//     cost nothing, and of StartAsyncInvoke, whose client token keeps it from
//     starting twice;
//   - a stream, before its first event only. A bidirectional stream is never sent
//     again.
//
// These are not sent again:
//
//   - a request that was wholly sent on a connection that is alive, when nothing
//     came back for Timeouts.Read. The model may have run, and each send may be
//     paid for. Retry.ResendAfterReadTimeout permits the resend. Over HTTP/1.1, a
//     lost peer looks the same where a proxy or a load balancer still answers for
//     it;
//   - a throttle that names a quota of the day ("Too many tokens per day");
//   - a refusal, and any other answer.
//
// Credentials that Bedrock calls expired (ExpiredTokenException) are dropped, and the
// call is sent once more, beyond Retry.MaxAttempts. A Role then gets a new session.
// Without a Role, the configuration's provider is asked again; with New, the shared
// files and the environment are read again. Static credentials that an application's
// configuration has read from a file do not change. A bidirectional stream is not sent
// again.
//
// The wait between two sends is the SDK's backoff, at most Retry.MaxBackoff, or what
// Retry-After asks for. The rate limit is a second wait: a model that throttles is
// given fewer calls a second until it recovers. Other models are not affected. A call
// waits for Retry.MaxWait in total. After that the call fails with the throttle in its
// error (errors.As). It fails at once where a wait would pass the call's deadline.
// Close ends the waits.
//
// Each of the Timeouts ends a call with a *TimeoutError of its own rule.
//
// A Role's session is renewed in the background from five minutes before its end. Only
// a call that finds no valid session waits for STS. A session that no call uses is not
// renewed. Credentials without a Role are renewed by the AWS configuration's own
// provider, which may make a call wait. In a Lambda function, call Warm in init: the
// first call then finds a connection and a session.
//
// # Streams
//
// A ConverseStream that ends without messageStop, inside an event or with a lost
// connection has ErrStreamTruncated as its stream's Err. The plain SDK reports a
// complete answer there. A stream that is silent for Timeouts.Read ends with
// ErrReadTimeout. InvokeModelWithResponseStream has no event that announces the end for
// every model. On it, a torn event and a lost connection are errors, and so is an end
// before the one that the model's own chunks announce: message_stop of the Messages
// API, messageStop of Nova, or a stop reason that is null at first.
//
// Close every stream, as with the SDK. A cancelled context completes the call's record
// at once and frees the connection. The SDK's goroutines behind a cancelled stream that
// nobody reads or closes end after Timeouts.Read, or one second after the client's
// Close. A later reader still receives the stream's error. The Outcome's Err is the
// stream's own.
//
// InvokeModelWithBidirectionalStream always returns, with the refusal or the context's
// error, also where the plain SDK would wait for ever. Its stream ends with the
// context's error, ErrCallTimeout or ErrReadTimeout, or with ErrStreamTruncated after
// Client.Close. Send returns the same error, or the SDK's "stream closed". The call is
// sent once, because the SDK leaves its caller with the first request's writer. Neither
// a throttle nor a lost connection is therefore sent again. The stream ends when both
// sides are silent for Timeouts.Read.
//
// # The end of a client
//
// Client.Shutdown waits for the calls in flight and for their OnDone functions. What
// records the calls can be closed after Shutdown. Client.Close does not wait.
//
// A panic of a function that was given to OnDone, or set as Call.OnEvent, is caught and
// written to the logger of the aws.Config. The log line does not contain the panic's
// value, which may hold a prompt. A panic of a Middleware goes on to the caller of the
// method. In a bidirectional call, which the SDK runs on a goroutine of its own, the
// panic becomes the call's error.
//
// # What a guardrail does not scan
//
// The guardrail is on every call, but it does not scan every part of a call. It does
// not scan tool definitions, tool arguments, tool results, reasoning, audio and video.
// It scans a system prompt only inside guardContent. InvokeModel looks for prompt
// attacks in tagged input only. No page of AWS says whether documents and search
// results are scanned. The whole table, and what to do about each row:
// https://github.com/securebedrock/securebedrock-go/blob/main/docs/guardrail-coverage.md
//
// ApplyGuardrail scans all text that it is given. The package middleware has
// InputCheck, which calls ApplyGuardrail on a request's content first.
//
// # After a block
//
// A guardrail scans every turn of a conversation. A blocked turn that stays in the
// history blocks all later turns. Remove the turn, which is the user's message and the
// guardrail's answer, and continue from the turns before it (the example of
// Client.Converse). Do not guard only the last turn with guardContent: all other turns
// would be unguarded. The client refuses this unless Guardrail.AllowPartial permits it.
//
// # Other accounts and places
//
// The rules also check what a call names beside its model. An ARN and a KMS key must be
// of the pinned partition and region, and of a permitted account (Options.Accounts).
// The owner of a bucket must be a permitted account. A plain bucket's name does not
// tell where the bucket is: grant the role the buckets of the region alone. Places
// within a model's own JSON (an InvokeModel body, ModelInput,
// AdditionalModelRequestFields, tools' JSON) are not checked.
//
// # What it does not do
//
// The package does not defend against malicious code in the same process. It does not
// defend the account either: whoever holds the role can call Bedrock without this
// package. IAM conditions, service control policies and account-enforced guardrails
// close that side.
package securebedrock
