package securebedrock

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Options says what a Client may do. It is plain data: New, NewFromConfig and
// Wrap copy it, check all of it at once, and never look at it again.
//
// The zero value of every field is the strict choice. A field that relaxes a
// rule is a boolean or a string named for what it gives up, and a relaxation
// with a reason carries that reason into every record.
type Options struct {
	// Region is the one region whose endpoint is called, such as "eu-central-1".
	// Required, except for Wrap, which takes the wrapped client's region where
	// this is empty.
	Region string

	// Residency lists the regions in which inference may run, beside Region,
	// which is always among them. Empty means Region alone. Geography gives the
	// lists behind the inference profile prefixes. "*" admits every destination,
	// and is the only thing that admits a "global." profile.
	Residency []string

	// Guardrail is attached to every Converse, ConverseStream, InvokeModel and
	// InvokeModelWithResponseStream. Required, unless Unguarded says why not.
	Guardrail Guardrail

	// Unguarded is the reason for which calls go without a guardrail. Every
	// Call carries it. It excludes Guardrail.
	Unguarded string

	// Models is the allow-list of model identifiers: a model ID, an inference
	// profile ID, or an ARN, as the caller writes it. '*' matches any run of
	// characters. Empty means any model that Region and Residency admit.
	Models []string

	// Role is assumed before the first call. Nil means the configuration's own
	// credentials sign the calls.
	Role *Role

	// Endpoint names a VPC endpoint or a FIPS or dual-stack host. Zero means
	// the region's public endpoint.
	Endpoint Endpoint

	// Timeouts bound every call. Zero means Connect 5 s, Read 60 s, Call none.
	Timeouts Timeouts

	// Retry says how often a failed call is sent again. Zero means 3 attempts.
	Retry Retry

	// MaxTokens is written into inferenceConfig.maxTokens of a Converse or
	// ConverseStream whose caller set none. Zero means 1024; a negative number
	// leaves it unset, so that the model's own maximum applies.
	MaxTokens int32

	// Middleware runs around every call, the first outermost. It sees refusals
	// as errors and cannot undo the rules, which run inside it.
	Middleware []Middleware

	// Profiles resolves inference profiles to the regions that serve them. Nil
	// means the built-in table of system profiles, which refuses what it does
	// not know, application inference profiles among them.
	Profiles ProfileResolver

	// UnguardedOperations maps an operation that carries no guardrail
	// (InvokeModelWithBidirectionalStream, StartAsyncInvoke) to the reason for
	// which it is wanted all the same. An operation that is not here is refused
	// with ErrUnguardedOperation, unless Unguarded is set.
	UnguardedOperations map[string]string
}

// Guardrail is the one guardrail of a Client.
type Guardrail struct {
	// ID is the guardrail's identifier or ARN. An ARN's region must be
	// Options.Region.
	ID string

	// Version is a published version, "1", "2" and so on. "DRAFT" changes under
	// the application's feet and is refused unless AllowDraft is set.
	Version string

	// AllowDraft admits Version "DRAFT".
	AllowDraft bool

	// Trace is sent with Converse, ConverseStream, InvokeModel and
	// InvokeModelWithResponseStream. Zero means enabled.
	Trace types.GuardrailTrace

	// Stream is sent with ConverseStream and InvokeModelWithResponseStream.
	// Zero means sync: with async, text can reach the caller before the
	// guardrail has seen it, and personal data is not masked
	// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-streaming.html).
	Stream types.GuardrailStreamProcessingMode

	// Verify demands that the answer proves, by its guardrail trace, that this
	// guardrail in this version was applied; otherwise the answer is withheld
	// with ErrGuardrailUnverified. On a stream the trace is the last event, so
	// there the error comes at the end, as the stream's error.
	Verify bool

	// AllowPartial permits guardContent blocks in a Converse, and input tags in
	// an InvokeModel body, which leave all content outside of them unscanned.
	// Otherwise such a call is refused with ErrGuardrailCoverage.
	AllowPartial bool
}

// Role is an IAM role to assume through STS AssumeRole. See
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html for
// what each field may hold.
type Role struct {
	// ARN of the role. Required.
	ARN string

	// SessionName appears in CloudTrail. Empty means "securebedrock-" and the
	// Lambda function's or the host's name, cut to 64 characters.
	SessionName string

	// ExternalID is sent where the role's trust policy asks for one.
	ExternalID string

	// SourceIdentity is kept through role chaining and appears in CloudTrail.
	SourceIdentity string

	// Duration of a session, from 15 minutes to 12 hours. Zero means 1 hour,
	// the longest that a chained role may have.
	Duration time.Duration

	// Tags are session tags, at most 50.
	Tags map[string]string

	// TransitiveTagKeys are those keys of Tags that a chained role keeps.
	TransitiveTagKeys []string

	// Policy is an inline session policy, JSON. The session may do no more than
	// it allows. Empty means no session policy.
	Policy string

	// STS is the client that is asked. Nil means the STS endpoint of
	// Options.Region, whatever the environment says. A session of another account,
	// role or name, one that is over, and one that lasts an hour longer than asked
	// are refused with ErrAuth, an answer of more than 1 MiB with ErrAnswerSize.
	STS stscreds.AssumeRoleAPIClient
}

// Endpoint chooses the host. It is never read from the environment.
type Endpoint struct {
	// URL of a VPC endpoint: https, or http on a loopback address. Empty means
	// the region's public endpoint.
	URL string

	// FIPS calls bedrock-runtime-fips. AWS has such hosts in the United States,
	// Canada (Central) and GovCloud only. It excludes URL.
	FIPS bool

	// DualStack calls the host that also has IPv6 addresses. It excludes URL.
	DualStack bool
}

// Timeouts bound a call. A negative value switches a bound off.
type Timeouts struct {
	// Connect bounds the dial and, apart from it, the TLS handshake. Zero means
	// 5 s.
	Connect time.Duration

	// Read bounds the time in which nothing arrives, for an answer's headers as
	// well as its body. Every byte starts it anew; it counts when its TLS record
	// (16 KiB at most) is whole, and on the way out when the system has taken it.
	// Zero means 60 s. A model that thinks for longer before it answers needs more,
	// or a stream.
	Read time.Duration

	// Call bounds the whole call, its retries and waits included, and a stream
	// to its end. Zero means no bound but the context's.
	Call time.Duration
}

// Retry says how often a call is sent.
type Retry struct {
	// MaxAttempts counts all sends of a call, the first included. Zero means 3.
	MaxAttempts int
}

// ProfileResolver tells the regions to which an inference profile may send a
// prompt. It is called by many goroutines. An error, and an empty list, refuse
// the call.
type ProfileResolver interface {
	// Destinations returns the destination regions of profile, an inference
	// profile's ID or ARN as the caller gave it, when called in region.
	Destinations(ctx context.Context, profile, region string) ([]string, error)
}
