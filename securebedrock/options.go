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
	// also one that cannot be told, and is the only thing that admits a
	// "global." profile.
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

	// Accounts are the AWS accounts, twelve digits each, of which what a caller
	// names may be: a model's ARN of every kind but a foundation model's, an
	// invocation's, a guardrail's, a KMS key's, and the owner of a bucket. Empty
	// means the account of Role; without a Role, any account. What is named
	// without an account, such as a model's ID, is the calling account's own.
	// Guardrail.ID is the owner's own word and is not compared.
	Accounts []string

	// Role is assumed before the first call. Nil means the configuration's own
	// credentials sign the calls.
	Role *Role

	// Endpoint names a VPC endpoint or a FIPS or dual-stack host. Zero means
	// the region's public endpoint.
	Endpoint Endpoint

	// Timeouts bound every call. Zero means Connect 5 s, Read 60 s, Call none.
	Timeouts Timeouts

	// Retry says how often a failed call is sent again. Zero means 3 attempts and
	// waits of 20 s in all.
	Retry Retry

	// MaxTokens is written into inferenceConfig.maxTokens of a Converse or
	// ConverseStream whose caller set none. Zero means 1024; a negative number
	// leaves it unset, so that the model's own maximum applies.
	//
	// Nothing is written where AdditionalModelRequestFields hold a bound of the
	// model's own (max_tokens, max_completion_tokens, max_gen_len, …), beside which
	// Bedrock refuses another; where they ask for Nova's reasoning effort "high",
	// which allows none; and for a managed prompt, which brings its own. With a
	// budget for thinking (budget_tokens) the budget is added, since maxTokens must
	// exceed the budget.
	MaxTokens int32

	// Middleware runs around every call, the first outermost. It sees refusals
	// as errors and cannot undo the rules, which run inside it.
	Middleware []Middleware

	// Profiles resolves inference profiles, prompt routers and managed prompts to
	// the regions that serve them, with package profiles for one. Nil means the
	// built-in table of system profiles, which refuses what it does not know:
	// application inference profiles, prompts, prompt routers, and prefixes that
	// are new.
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

	// Stream is sent with ConverseStream. InvokeModelWithResponseStream has no such
	// field: its body may name the same mode in amazon-bedrock-guardrailConfig,
	// another is refused, and without one Bedrock's own default applies, which is
	// synchronous. Zero means sync: with async, text can reach the caller before the
	// guardrail has seen it, and personal data is not masked
	// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-streaming.html).
	Stream types.GuardrailStreamProcessingMode

	// Verify demands that the answer proves, by its guardrail trace, that this
	// guardrail in this version was applied, in Options.Region and, where ID is no
	// ARN, for one of Options.Accounts; otherwise the answer is withheld
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
	// or a stream. A connection that gives no sign of life, which HTTP/2 asks for
	// four times in this time, is given up before.
	//
	// Of InvokeModelWithBidirectionalStream it bounds the time in which neither side
	// says anything: a byte that arrives and an event that the caller sends each
	// start it anew. A voice session in which the user is silent goes on while the
	// application sends the microphone's frames, silence included, and one in which
	// the user listens goes on while the model speaks. A server that no longer takes
	// what is sent is silent once the connection's buffers are full.
	Read time.Duration

	// Call bounds the whole call, its retries and waits included, and a stream
	// to its end. Zero means no bound but the context's.
	Call time.Duration
}

// Retry says how often a call is sent, and how long it waits for that. See "Retries,
// timeouts and sessions" in the package documentation for what is sent again.
type Retry struct {
	// MaxAttempts counts all sends of a call, the first included. Zero means 3. A
	// send with credentials that Bedrock called expired is not counted, once.
	MaxAttempts int

	// MaxWait bounds what a call waits in all: for the rate limit of a throttled
	// model, for the backoff between two sends, and where an answer's Retry-After
	// asks for it. A call fails, with the throttle in its error, once it has waited
	// for so long, and at once where a wait would be longer than what is left of
	// MaxWait or would pass the call's deadline. Zero means 20 s.
	MaxWait time.Duration

	// MaxBackoff bounds one backoff between two sends, and the pace at which a
	// throttled model is asked: one call every MaxBackoff at least, where MaxBackoff
	// is shorter than 2 s. What Retry-After asks for is waited for in full. Zero
	// means 20 s. Short values suit tests.
	MaxBackoff time.Duration

	// ResendAfterReadTimeout sends a call again also where it was wholly sent on a
	// connection that lives and nothing came back for Timeouts.Read. The model may
	// have run, so each send may be paid for.
	ResendAfterReadTimeout bool
}

// ProfileResolver tells the regions to which an inference profile, a prompt
// router or a managed prompt may send a prompt. It is called by many goroutines.
// An error, an empty list and a panic refuse the call, with ErrResidency.
type ProfileResolver interface {
	// Destinations returns the destination regions of profile when called in
	// region. profile is an identifier as the caller gave it: the ID or ARN of an
	// inference profile, the ARN of a prompt router or a prompt, or an ID of three
	// words or more whose first is not known here ("amer.provider.model"), which
	// could also be the model of a new provider.
	Destinations(ctx context.Context, profile, region string) ([]string, error)
}
