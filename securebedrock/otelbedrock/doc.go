// Package otelbedrock records the calls of a securebedrock.Client with OpenTelemetry: a
// span and metrics for each call, by the gen_ai semantic conventions. It never records
// what was asked or answered.
//
//	observe, err := otelbedrock.Middleware(otelbedrock.Options{}) // the global providers
//	if err != nil {
//		return err
//	}
//	client, err := securebedrock.New(ctx, securebedrock.Options{
//		Region:     "eu-central-1",
//		Residency:  securebedrock.Geography("eu"),
//		Guardrail:  securebedrock.Guardrail{ID: "a1b2c3d4e5f6", Version: "3"},
//		Middleware: []securebedrock.Middleware{observe},
//	})
//
// # Spans
//
// A span of kind CLIENT is named "{gen_ai.operation.name} {gen_ai.request.model}",
// as "chat eu.amazon.nova-lite-v1:0". The span runs from the Middleware's turn to the end
// of the call. A call with a stream ends when the stream has been read, closed,
// cancelled or broken, or when the client is closed. Refusals, failures and panics end
// the span too. Each span ends once. The span of a stream that nobody reads, closes or
// cancels ends when the client is closed.
//
//	gen_ai.operation.name                     string   see below
//	gen_ai.provider.name                      string   aws.bedrock
//	gen_ai.request.model                      string   as the rules judged it; none where it is no model identifier
//	gen_ai.request.max_tokens                 int      of Converse…, where the caller sets it
//	gen_ai.request.temperature, .top_p        double   likewise
//	gen_ai.request.stream                     bool     true of streams; else absent
//	gen_ai.response.finish_reasons            string[] Bedrock's stop reason
//	gen_ai.response.time_to_first_chunk       double   of streams: seconds from the span's start to the first event
//	gen_ai.usage.input_tokens                 int      with the cache's, other than Bedrock's inputTokens
//	gen_ai.usage.output_tokens                int
//	gen_ai.usage.cache_read.input_tokens      int      where there are any
//	gen_ai.usage.cache_creation.input_tokens  int      where there are any
//	aws.bedrock.guardrail.id                  string   the attached guardrail; if the answer tells which one ran, that one
//	aws.request_id                            string   of the last attempt
//	cloud.region                              string   the pinned region
//	server.address, server.port               string, int (443 where the endpoint names none)
//	error.type                                string   see below
//	securebedrock.operation                   string   the SDK's name: ConverseStream
//	securebedrock.call.id                     string   Call.ID, which Bedrock's invocation log has too
//	securebedrock.unguarded.reason            string   why no guardrail is attached, in the owner's words
//	securebedrock.guardrail.version           string   of aws.bedrock.guardrail.id
//	securebedrock.guardrail.applied           bool     true where the trace lists a guardrail; else absent
//	securebedrock.guardrail.intervened        bool     true where it blocked or masked; else absent
//	securebedrock.guardrail.policies          string[] those that did: word, topic, …
//	securebedrock.guardrail.origin            string[] REQUEST, ACCOUNT_ENFORCED, …
//	securebedrock.rule                        string   the rule that spoke: securebedrock.RuleName
//	securebedrock.attempts, .throttled        int      sends, and those that Bedrock throttled
//	securebedrock.wait                        double   seconds not sending: rate limit and backoff
//	securebedrock.cache_write_1h_tokens       int      of the cache's creation, for an hour or another time than five minutes
//	securebedrock.service_tier                string   the tier that served the call, where the answer tells it
//	securebedrock.events                      int      of streams
//	securebedrock.canceled                    bool     true where the caller cancelled or closed early; else absent
//
// gen_ai.operation.name is chat for Converse and ConverseStream; embeddings for
// InvokeModel of a model with "embed" in its ID, and generate_content for any
// other and for InvokeModelWithBidirectionalStream, since a body is not read; and,
// by names of this package's own, start_async_invoke, get_async_invoke,
// list_async_invokes, apply_guardrail, invoke_guardrail_checks and count_tokens.
//
// error.type is the first of these that applies:
//
//   - the value of securebedrock.rule, which is what securebedrock.RuleName returns: the
//     rule's Err… name in lower case (residency, guardrail_coverage, read_timeout,
//     stream_truncated, closed, bypassed, …); budget, budget_store, budget_price,
//     concurrency, rate, input_blocked or input_unchecked of package middleware; or the
//     name that an application's own Middleware gives
//   - the service's error code (ThrottlingException)
//   - canceled, deadline_exceeded, request_send, panic or _OTHER
//
// The span's status is then Error, with the same word as its description. An
// intervention of the guardrail is not an error, nor is a stream that the caller closes.
//
// # Metrics
//
//	gen_ai.client.operation.duration             s        histogram, every call
//	gen_ai.client.operation.time_to_first_chunk  s        histogram, streams with an event
//	gen_ai.client.token.usage                    {token}  histogram, by gen_ai.token.type input and output
//
// The bucket boundaries are those of the conventions. All metrics have
// gen_ai.operation.name, gen_ai.provider.name, gen_ai.request.model, server.address and
// server.port. The duration also has error.type and securebedrock.guardrail.intervened.
//
// The number of series is bounded, since callers could name any number of models. The
// model is left out when nothing was sent, and when Bedrock refused the request (400,
// 403, 404) for a model that Bedrock has not answered before. The attribute is _OTHER for
// models beyond Options.MaxModels and for values of error.type beyond 128.
//
// # What is never recorded
//
// No prompt, system prompt, answer, tool, document, stop sequence, request
// metadata, guardrail match, error message, panic value, access key or token: no
// part of Call.Input but the three numbers above, no part of Result.Output, and
// no events. What the service words itself (stop reason, error code, request ID,
// guardrail) is kept only if it is at most 128 letters, digits and "-_.:/". The
// unguarded reason is the text of securebedrock.Options, if it is one line.
//
// # The SDK's own spans
//
// The context that is passed on carries the span, so that whatever is traced
// further in nests under it. The AWS SDK traces a client made with a
// bedrockruntime.Options.TracerProvider, such as smithy-go's adapter
// smithyoteltracing.Adapt, and given to securebedrock.Wrap. It begins a span of the
// operation before any Middleware runs; ours is under that one, and RetryLoop,
// Attempt, DoHTTPRequest and so on are under ours. The span of the operation holds
// the error's whole message in exception.message and api.error_message
// (bedrockruntime v1.63.11, invokeOperation), which can quote a prompt or an answer:
// delete the two on their way, as in a collector, or leave the SDK untraced.
//
// # Conventions
//
// The names are those of semconv v1.41.0, the last that defines gen_ai: v1.42.0
// has moved it to a repository of its own (semantic-conventions-genai), whose pages
// gen-ai-spans, gen-ai-metrics and aws-bedrock are followed; all of it has the
// status Development. They replace gen_ai.system by gen_ai.provider.name, and give
// clients gen_ai.client.operation.time_to_first_chunk, where time_to_first_token
// is a model server's. aws.request_id and cloud.region are of the page on AWS SDK
// spans. OTEL_SEMCONV_STABILITY_OPT_IN is not read: older names are never emitted.
//
// A Middleware is safe for concurrent use and starts no goroutine.
package otelbedrock
