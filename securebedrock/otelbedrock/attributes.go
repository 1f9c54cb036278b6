package otelbedrock

import (
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"

	"github.com/securebedrock/securebedrock-go/internal/token"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// What no convention has a name for. These, and those of semconv that the two
// functions below name, are all that a span can hold.
const (
	attrCallID           = attribute.Key("securebedrock.call.id")
	attrCorrelationID    = attribute.Key("securebedrock.call.correlation_id")
	attrOperation        = attribute.Key("securebedrock.operation")
	attrUnguarded        = attribute.Key("securebedrock.unguarded.reason")
	attrGuardrailVersion = attribute.Key("securebedrock.guardrail.version")
	attrApplied          = attribute.Key("securebedrock.guardrail.applied")
	attrIntervened       = attribute.Key("securebedrock.guardrail.intervened")
	attrPolicies         = attribute.Key("securebedrock.guardrail.policies")
	attrOrigin           = attribute.Key("securebedrock.guardrail.origin")
	attrRule             = attribute.Key("securebedrock.rule")
	attrAttempts         = attribute.Key("securebedrock.attempts")
	attrThrottled        = attribute.Key("securebedrock.throttled")
	attrWait             = attribute.Key("securebedrock.wait")
	attrEvents           = attribute.Key("securebedrock.events")
	attrCanceled         = attribute.Key("securebedrock.canceled")
	attrServiceTier      = attribute.Key("securebedrock.service_tier")
	attrCacheWrite1h     = attribute.Key("securebedrock.cache_write_1h_tokens")
)

// requestAttributes is what is known before the call goes on, beside its target.
func requestAttributes(call *securebedrock.Call) []attribute.KeyValue {
	a := make([]attribute.KeyValue, 0, 12)
	a = append(a, attrOperation.String(call.Operation))
	a = appendWord(a, attrCallID, call.ID)
	if !token.In(call.CorrelationID) { // the caller's own word
		a = appendWord(a, attrCorrelationID, call.CorrelationID)
	}
	a = appendWord(a, semconv.CloudRegionKey, call.Region)
	a = appendWord(a, semconv.AWSBedrockGuardrailIDKey, guardrailID(call.Guardrail.ID))
	a = appendWord(a, attrGuardrailVersion, call.Guardrail.Version)
	if call.Unguarded != "" {
		a = append(a, attrUnguarded.String(reason(call.Unguarded)))
	}
	if streams(call.Operation) {
		a = append(a, semconv.GenAIRequestStream(true))
	}
	var config *types.InferenceConfiguration
	switch in := call.Input.(type) {
	case *bedrockruntime.ConverseInput:
		config = in.InferenceConfig
	case *bedrockruntime.ConverseStreamInput:
		config = in.InferenceConfig
	}
	if config == nil {
		return a
	}
	if config.MaxTokens != nil {
		a = append(a, semconv.GenAIRequestMaxTokens(int(*config.MaxTokens)))
	}
	if config.Temperature != nil {
		a = append(a, semconv.GenAIRequestTemperature(widened(*config.Temperature)))
	}
	if config.TopP != nil {
		a = append(a, semconv.GenAIRequestTopP(widened(*config.TopP)))
	}
	return a // no stop sequences: they are the caller's text
}

// outcomeAttributes is what is known at the end. firstChunk is zero where no event came.
func outcomeAttributes(operation string, firstChunk time.Duration, out *securebedrock.Outcome, f failure) []attribute.KeyValue {
	a := make([]attribute.KeyValue, 0, 22)
	a = append(a,
		attrAttempts.Int(out.Attempts),
		attrThrottled.Int(out.Throttled),
		attrWait.Float64(out.Wait.Seconds()),
	)
	if f.kind != "" {
		a = append(a, semconv.ErrorTypeKey.String(f.kind))
	}
	if f.rule != "" {
		a = append(a, attrRule.String(f.rule))
	}
	if out.Canceled {
		a = append(a, attrCanceled.Bool(true))
	}
	a = appendWord(a, semconv.AWSRequestIDKey, out.RequestID)
	if stop := word(out.StopReason); stop != "" {
		a = append(a, semconv.GenAIResponseFinishReasons(stop))
	}
	a = appendWord(a, attrServiceTier, out.ServiceTier)
	if streams(operation) {
		a = append(a, attrEvents.Int(out.Events))
		if firstChunk > 0 {
			a = append(a, semconv.GenAIResponseTimeToFirstChunk(firstChunk.Seconds()))
		}
	}
	if operation != opCountTokens {
		a = appendUsage(a, out.Usage)
	}
	return appendGuardrail(a, &out.Guardrail)
}

func appendUsage(a []attribute.KeyValue, u securebedrock.Usage) []attribute.KeyValue {
	if u == (securebedrock.Usage{}) {
		return a
	}
	a = append(a,
		semconv.GenAIUsageInputTokens(int(inputTokens(u))),
		semconv.GenAIUsageOutputTokens(int(u.OutputTokens)),
	)
	if u.CacheReadTokens > 0 {
		a = append(a, semconv.GenAIUsageCacheReadInputTokens(int(u.CacheReadTokens)))
	}
	if u.CacheWriteTokens > 0 {
		a = append(a, semconv.GenAIUsageCacheCreationInputTokens(int(u.CacheWriteTokens)))
	}
	if u.CacheWrite1hTokens > 0 { // of those
		a = append(a, attrCacheWrite1h.Int64(u.CacheWrite1hTokens))
	}
	return a
}

// inputTokens counts cached tokens too, as gen_ai.usage.input_tokens SHOULD (note
// 16 of the conventions' page on AWS Bedrock). Bedrock's own inputTokens does not.
func inputTokens(u securebedrock.Usage) int64 {
	return u.InputTokens + u.CacheReadTokens + u.CacheWriteTokens
}

func appendGuardrail(a []attribute.KeyValue, g *securebedrock.GuardrailOutcome) []attribute.KeyValue {
	if g.Applied {
		// The one that ran, in the place of the one that was attached.
		a = append(a, attrApplied.Bool(true))
		a = appendWord(a, semconv.AWSBedrockGuardrailIDKey, guardrailID(g.ARN))
		a = appendWord(a, attrGuardrailVersion, g.Version)
		a = appendWords(a, attrOrigin, strings.Split(g.Origin, ","))
	}
	if g.Intervened {
		a = append(a, attrIntervened.Bool(true))
		a = appendWords(a, attrPolicies, g.Policies)
	}
	return a
}
