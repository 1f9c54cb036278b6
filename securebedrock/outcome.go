package securebedrock

import "time"

// Outcome is what became of a call. It is made of identifiers, counts and
// times, never of content.
type Outcome struct {
	// RequestID is Bedrock's, of the last attempt.
	RequestID string
	// Attempts counts the sends; zero where the call was refused before one.
	Attempts int
	// Throttled counts those of Attempts that Bedrock throttled.
	Throttled int
	// Wait is the time spent not sending: the rate limit of a throttled model, and
	// the pauses between attempts.
	Wait time.Duration
	// Latency runs from Call.Start to the end of the answer or stream.
	Latency time.Duration
	// FirstEvent runs from Call.Start to a stream's first event; zero otherwise.
	FirstEvent time.Duration
	// Events counts a stream's events.
	Events int
	// AccessKeyID is that of the credentials that signed the last attempt.
	AccessKeyID string
	// Principal is the ARN of the assumed role's session, as STS gave it with the
	// credentials that signed the last attempt; empty without a Role.
	Principal string
	// StopReason is the model's or the guardrail's, as Bedrock wrote it.
	StopReason string
	// Usage is what was seen of it; a cancelled stream may have seen none.
	Usage Usage
	// Counted says that the answer told a usage: a zero in Usage is a count then,
	// and no gap.
	Counted bool
	// ServiceTier is the tier that served the call ("default", "priority", "flex",
	// "reserved"), where the answer tells it; another word is dropped.
	ServiceTier string
	// Guardrail is what the answer tells of the guardrail.
	Guardrail GuardrailOutcome
	// Err is the error that the caller got, from the call or from the stream.
	Err error
	// Canceled says that the caller cancelled the context or closed the stream
	// before its end.
	Canceled bool
}

// Usage counts tokens as Bedrock does: InputTokens are those that were neither
// read from the cache nor written to it, and TotalTokens is all of it. Of an
// InvokeModel it is what Bedrock counts in headers and metrics, and what those do
// not tell is the model's own count.
type Usage struct {
	InputTokens, OutputTokens, CacheReadTokens, CacheWriteTokens, TotalTokens int64
	// CacheWrite5mTokens and CacheWrite1hTokens are the parts of CacheWriteTokens
	// that were written for five minutes, and for an hour or another time, which
	// cost more. Both are zero where the answer does not tell them apart.
	CacheWrite5mTokens, CacheWrite1hTokens int64
}

// GuardrailOutcome is what an answer tells of the guardrail. It never holds the
// text that matched.
type GuardrailOutcome struct {
	// Applied says that the trace lists a guardrail as applied.
	Applied bool
	// Intervened says that the guardrail blocked or masked something.
	Intervened bool
	// Origin is REQUEST, ACCOUNT_ENFORCED or ORGANIZATION_ENFORCED, several
	// joined by a comma.
	Origin string
	// ARN and Version are those of the applied guardrail: the pinned one where
	// it is among several.
	ARN, Version string
	// Policies names the policies that acted, sorted: "content",
	// "contextualGrounding", "sensitiveInformation", "topic", "word", …
	Policies []string
}
