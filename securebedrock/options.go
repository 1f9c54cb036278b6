package securebedrock

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Options says what a Client may do. Options is plain data. New, NewFromConfig and Wrap
// copy the Options and check all fields at once. Later changes to the Options have no
// effect.
//
// The zero value of every field is the strict choice. A field that relaxes a rule is a
// boolean or a string. Its name says what it gives up. A relaxation with a reason
// carries that reason into every record.
type Options struct {
	// Region is the one region whose endpoint is called, such as "eu-central-1". Region
	// is required, except for Wrap: where Region is empty, Wrap takes the region of the
	// wrapped client.
	Region string

	// Residency lists the regions in which inference may run. Options.Region is always
	// permitted and need not be listed. Empty means Options.Region alone. Geography
	// returns the lists behind the inference profile prefixes. "*" permits every
	// destination, including an unknown one. Only "*" permits a "global." profile.
	Residency []string

	// Guardrail is attached to every Converse, ConverseStream, InvokeModel and
	// InvokeModelWithResponseStream. Guardrail is required, unless Unguarded gives the
	// reason for going without.
	Guardrail Guardrail

	// Unguarded is the reason why calls go without a guardrail. Every Call carries the
	// reason. Unguarded and Guardrail exclude each other. Empty means that a guardrail
	// is required.
	Unguarded string

	// Models is the allow-list of model identifiers. An entry is a model ID, an
	// inference profile ID or an ARN, as the caller writes it. '*' matches any run of
	// characters. Empty means any model that Region and Residency permit.
	Models []string

	// Accounts are the AWS accounts, twelve digits each, whose resources a caller may
	// name. The list applies to the ARN of a model (of every kind except a foundation
	// model), of an invocation, of a guardrail and of a KMS key, and to the owner of a
	// bucket. Empty means the account of Role; without a Role, empty means any account.
	// A resource that is named without an account, such as a model ID, belongs to the
	// calling account. Guardrail.ID is set in Options and is not compared.
	Accounts []string

	// Role is the IAM role that is assumed before the first call. Nil means that the
	// configuration's own credentials sign the calls.
	Role *Role

	// Endpoint names a VPC endpoint, or a FIPS or dual-stack host. Zero means the
	// region's public endpoint.
	Endpoint Endpoint

	// Timeouts bound every call. Zero means Connect 5 s, Read 60 s and no bound for
	// Call.
	Timeouts Timeouts

	// Retry says how often a failed call is sent again. Zero means 3 attempts and waits
	// of 20 s in total.
	Retry Retry

	// MaxTokens is written into inferenceConfig.maxTokens of a Converse or
	// ConverseStream whose caller set none. Zero means 1024. A negative number leaves
	// the field unset, so that the model's own maximum applies.
	//
	// MaxTokens is not written in three cases. First, AdditionalModelRequestFields hold
	// a bound of the model's own (max_tokens, max_completion_tokens, max_gen_len, …);
	// Bedrock refuses a second bound. Second, the fields ask for Nova's reasoning effort
	// "high", which allows no bound. Third, the call names a managed prompt, which
	// brings its own bound. Where the fields hold a budget for thinking (budget_tokens),
	// the budget is added to MaxTokens, since maxTokens must exceed the budget.
	MaxTokens int32

	// Middleware runs around every call. The first entry is the outermost. A Middleware
	// sees refusals as errors. It cannot undo the rules, which run inside it.
	Middleware []Middleware

	// Profiles resolves inference profiles, prompt routers and managed prompts to the
	// regions that serve them. Package profiles has one. Nil means the built-in table of
	// system profiles. The table refuses what it does not know: application inference
	// profiles, prompts, prompt routers and new prefixes.
	Profiles ProfileResolver

	// UnguardedOperations maps an operation that carries no guardrail
	// (InvokeModelWithBidirectionalStream, StartAsyncInvoke) to the reason why it is
	// permitted. An operation that is not in the map is refused with
	// ErrUnguardedOperation, unless Unguarded is set.
	UnguardedOperations map[string]string
}

// Guardrail is the one guardrail of a Client.
type Guardrail struct {
	// ID is the guardrail's identifier or ARN. The region of an ARN must be
	// Options.Region.
	ID string

	// Version is a published version: "1", "2" and so on. "DRAFT" is refused unless
	// AllowDraft is set, because a draft can change while the application runs.
	Version string

	// AllowDraft permits Version "DRAFT".
	AllowDraft bool

	// Trace is sent with Converse, ConverseStream, InvokeModel and
	// InvokeModelWithResponseStream. Zero means enabled.
	Trace types.GuardrailTrace

	// Stream is sent with ConverseStream. Zero means sync. With async, text can reach
	// the caller before the guardrail has seen it, and personal data is not masked
	// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-streaming.html).
	//
	// InvokeModelWithResponseStream has no such field. Its body may name the same mode
	// in amazon-bedrock-guardrailConfig; another mode is refused. Where the body names
	// no mode, Bedrock's own default applies, which is synchronous.
	Stream types.GuardrailStreamProcessingMode

	// Verify demands that the answer's guardrail trace proves three things: this
	// guardrail in this version was applied, in Options.Region, and, where ID is no ARN,
	// for one of Options.Accounts. Without that proof the answer is withheld with
	// ErrGuardrailUnverified. On a stream the trace is the last event, so the error
	// comes at the end, as the stream's error.
	Verify bool

	// AllowPartial permits guardContent blocks in a Converse and input tags in an
	// InvokeModel body. Both leave all other content unscanned. Where AllowPartial is
	// false, such a call is refused with ErrGuardrailCoverage.
	AllowPartial bool
}

// Role is an IAM role that is assumed through STS AssumeRole.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html says what
// each field may hold.
type Role struct {
	// ARN is the ARN of the role. Required.
	ARN string

	// SessionName appears in CloudTrail. Empty means "securebedrock-" followed by the
	// name of the Lambda function or of the host, cut to 64 characters.
	SessionName string

	// ExternalID is sent to STS. Set it where the role's trust policy asks for one.
	// Empty means none.
	ExternalID string

	// SourceIdentity appears in CloudTrail and is kept through role chaining. Empty
	// means none.
	SourceIdentity string

	// Duration is how long a session lasts, from 15 minutes to 12 hours. Zero means 1
	// hour, the longest duration that a chained role may have.
	Duration time.Duration

	// Tags are session tags, at most 50.
	Tags map[string]string

	// TransitiveTagKeys are the keys of Tags that a chained role keeps.
	TransitiveTagKeys []string

	// Policy is an inline session policy in JSON. The session may do no more than the
	// policy allows. Empty means no session policy.
	Policy string

	// STS is the client that assumes the role. Nil means the STS endpoint of
	// Options.Region, whatever the environment says. ErrAuth refuses a session of
	// another account, role or name, an expired session, and a session that lasts an
	// hour longer than requested. ErrAnswerSize refuses an answer of more than 1 MiB.
	STS stscreds.AssumeRoleAPIClient
}

// Endpoint chooses the host. The environment has no influence on it.
type Endpoint struct {
	// URL is the URL of a VPC endpoint. The scheme is https; http is permitted on a
	// loopback address. Empty means the region's public endpoint.
	URL string

	// FIPS selects the host bedrock-runtime-fips. AWS has such hosts in the United
	// States, Canada (Central) and GovCloud only. FIPS and URL exclude each other.
	FIPS bool

	// DualStack selects the host that also has IPv6 addresses. DualStack and URL exclude
	// each other.
	DualStack bool
}

// Timeouts bound a call. A negative value switches a bound off. Each bound ends the
// call with a *TimeoutError of its own rule.
type Timeouts struct {
	// Connect bounds the dial. It bounds the TLS handshake separately. Zero means 5 s.
	Connect time.Duration

	// Read is an idle timeout: the call fails when no byte is received or sent for this
	// long. It applies to the answer's headers and to its body. A received byte counts
	// once its TLS record (up to 16 KiB) is complete. A sent byte counts once the
	// operating system has taken it. Zero means 60 s.
	//
	// A model that thinks for longer before it answers needs a longer Read, or a stream.
	// HTTP/2 asks a silent connection for a sign of life four times within Read. A
	// connection that gives none is given up before Read has passed.
	//
	// In InvokeModelWithBidirectionalStream, Read bounds the time in which both sides
	// are silent. A received byte and an event that the caller sends each restart the
	// timeout. A voice session with a silent user continues while the application sends
	// the microphone's frames, silence included. A session with a listening user
	// continues while the model speaks. A server that no longer accepts data counts as
	// silent once the connection's buffers are full.
	Read time.Duration

	// Call bounds the whole call, including its retries and waits. It bounds a stream to
	// the stream's end. Zero means no bound other than the context's.
	Call time.Duration
}

// Retry says how often a call is sent, and how long it waits between sends. "Retries,
// timeouts and sessions" in the package documentation says what is sent again.
type Retry struct {
	// MaxAttempts is the number of sends of a call, including the first. Zero means 3.
	// One send with credentials that Bedrock called expired is not counted.
	MaxAttempts int

	// MaxWait bounds the sum of a call's waits: for the rate limit of a throttled model,
	// for the backoff between two sends, and for an answer's Retry-After. The call
	// fails, with the throttle in its error, once it has waited for MaxWait. The call
	// fails at once where a wait would be longer than the rest of MaxWait, or would pass
	// the call's deadline. Zero means 20 s.
	MaxWait time.Duration

	// MaxBackoff bounds one backoff between two sends. Zero means 20 s. Where MaxBackoff
	// is shorter than 2 s, it also bounds how far a throttled model is slowed down: the
	// model is sent at least one call every MaxBackoff. MaxBackoff does not shorten the
	// wait that Retry-After asks for. Short values suit tests.
	MaxBackoff time.Duration

	// ResendAfterReadTimeout also sends a call again when three things are true: the
	// call was wholly sent, its connection is alive, and nothing came back for
	// Timeouts.Read. The model may have run, so each send may be paid for.
	ResendAfterReadTimeout bool
}

// ProfileResolver tells to which regions an inference profile, a prompt router or a
// managed prompt may send a prompt. Many goroutines call it. An error, an empty list or
// a panic refuses the call with ErrResidency.
type ProfileResolver interface {
	// Destinations returns the destination regions of profile when it is called in
	// region. profile is an identifier as the caller gave it. It is the ID or ARN of an
	// inference profile, the ARN of a prompt router or of a prompt, or an ID of three
	// words or more whose first word is unknown to this package ("amer.provider.model").
	// The last could also be the model of a new provider.
	Destinations(ctx context.Context, profile, region string) ([]string, error)
}
