package audit

import (
	"encoding/json"
	"time"
)

// Record is one line of the log. It is an allow-list: what has no field here is
// not recorded, whatever the SDK gains. Its strings are identifiers, counts and
// words of fixed lists; what a server or a caller wrote is kept only where it has
// the form of an identifier. Input and Output alone can hold content, and do so
// only where Options.Content says so.
//
// A Record that was handed to a Sink is not changed any more.
type Record struct {
	// Schema is the constant of that name.
	Schema string `json:"schema"`
	Kind   Kind   `json:"kind"`
	// Time is when the record was made, in UTC.
	Time time.Time `json:"time"`

	// CallID is Call.ID. Bedrock's own invocation log has it as the request
	// metadata "securebedrock-call-id".
	CallID string `json:"call_id,omitempty"`
	// CorrelationID is Call.CorrelationID as it was when the call reached this
	// middleware; "(no identifier)" where it cannot be one.
	CorrelationID string `json:"correlation_id,omitempty"`
	// Subject is who asked, as Options.Subject tells: an identifier, or with
	// Options.SubjectKey "hmac-sha256:" and the HMAC of one. "(no identifier)" stands
	// for what cannot be an identifier, and where Subject failed.
	Subject      string `json:"subject,omitempty"`
	SubjectKeyID string `json:"subject_key_id,omitempty"` // the ID of Options.SubjectKey
	Operation    string `json:"operation,omitempty"`
	Application  string `json:"application,omitempty"` // Options.Application
	Region       string `json:"region,omitempty"`      // the pinned one
	Host         string `json:"host,omitempty"`        // to which the call goes
	Model        *Model `json:"model,omitempty"`       // absent where the operation has none

	Guardrail *Guardrail `json:"guardrail,omitempty"` // absent where none is attached
	// Unguarded is the owner's reason for a call without a guardrail.
	Unguarded string `json:"unguarded,omitempty"`
	// FailOpen is the owner's reason for sending calls that cannot be recorded.
	FailOpen  string     `json:"fail_open,omitempty"`
	Principal *Principal `json:"principal,omitempty"`

	// The rest is of an outcome alone, but for Input, Lost and Chain.

	RequestID  string        `json:"request_id,omitempty"`     // Bedrock's, of the last attempt
	Duration   time.Duration `json:"duration_ns,omitempty"`    // to the end of the answer or stream
	FirstEvent time.Duration `json:"first_event_ns,omitempty"` // to a stream's first event
	Wait       time.Duration `json:"wait_ns,omitempty"`        // for the rate limit and between attempts
	Attempts   int           `json:"attempts,omitempty"`       // sends; absent: nothing was sent
	Throttled  int           `json:"throttled,omitempty"`      // of Attempts
	StopReason string        `json:"stop_reason,omitempty"`
	Usage      *Usage        `json:"usage,omitempty"` // absent where none arrived
	// ServiceTier is the tier that served the call, where the answer tells it.
	ServiceTier string `json:"service_tier,omitempty"`
	Events      int    `json:"events,omitempty"` // of a stream
	// Canceled: the caller ended the call or the stream before its end.
	Canceled bool `json:"canceled,omitempty"`
	// Truncated: the stream ended early, and not by the caller.
	Truncated bool `json:"truncated,omitempty"`
	// Refused: a rule, this package, the SDK's validation or the application's
	// middleware ended the call, and nothing was sent.
	Refused bool   `json:"refused,omitempty"`
	Error   *Error `json:"error,omitempty"`
	// Tools are the tools that the answer of a Converse or ConverseStream calls,
	// where Options.ToolNames asks for them. A name that the call did not declare
	// is "(undeclared)".
	Tools  []string `json:"tools,omitempty"`
	Input  *Content `json:"input,omitempty"`
	Output *Content `json:"output,omitempty"`

	// Lost counts the records that this middleware could not write before this one.
	Lost int64 `json:"lost,omitempty"`

	Resumed    *Resumed    `json:"resumed,omitempty"`    // of KindResumed
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"` // of KindCheckpoint
	Skipped    *Skipped    `json:"skipped,omitempty"`    // of KindSkipped
	Chain      *Link       `json:"chain,omitempty"`      // written through a Chain
	MAC        string      `json:"mac,omitempty"`        // of the line before it

	sealed []byte // the line as Chain made it
}

// Model is what a model identifier says.
type Model struct {
	// ID is the identifier as the caller wrote it; "(no identifier)" where it
	// cannot be one.
	ID     string `json:"id"`
	Kind   string `json:"kind,omitempty"`   // securebedrock.ModelKind
	Prefix string `json:"prefix,omitempty"` // an inference profile's geography
	// Regions are those in which inference may run.
	Regions []string `json:"destination_regions,omitempty"`
}

// Guardrail is the pinned guardrail, and in an outcome what the answer tells of
// the one that ran. It never holds the text that matched.
type Guardrail struct {
	ID      string `json:"id,omitempty"` // the pinned one
	Version string `json:"version,omitempty"`

	Applied        bool   `json:"applied,omitempty"`    // the trace lists a guardrail
	Intervened     bool   `json:"intervened,omitempty"` // it blocked or masked something
	Origin         string `json:"origin,omitempty"`     // REQUEST, ACCOUNT_ENFORCED, …
	AppliedARN     string `json:"applied_arn,omitempty"`
	AppliedVersion string `json:"applied_version,omitempty"`
	// Policies are the names of the policies that acted: "content", "topic", …
	Policies []string `json:"policies,omitempty"`
}

// Principal is who signed.
type Principal struct {
	RoleARN     string `json:"role_arn,omitempty"` // securebedrock.Options.Role
	SessionName string `json:"session_name,omitempty"`
	// ARN is that of the assumed role's session once STS has told it, or
	// Options.CallerARN.
	ARN         string `json:"arn,omitempty"`
	AccessKeyID string `json:"access_key_id,omitempty"` // of the last attempt
}

// Usage counts tokens.
type Usage struct {
	InputTokens      int64 `json:"input_tokens,omitempty"`
	OutputTokens     int64 `json:"output_tokens,omitempty"`
	CacheReadTokens  int64 `json:"cache_read_input_tokens,omitempty"`
	CacheWriteTokens int64 `json:"cache_write_input_tokens,omitempty"`
	TotalTokens      int64 `json:"total_tokens,omitempty"`
	// Parts of CacheWriteTokens, where the answer tells them apart: written for
	// five minutes, and for an hour or another time.
	CacheWrite5mTokens int64 `json:"cache_write_5m_input_tokens,omitempty"`
	CacheWrite1hTokens int64 `json:"cache_write_1h_input_tokens,omitempty"`
}

// Error says what kind of error the caller got, and never its message.
type Error struct {
	// Class is refused, invalid, timeout, canceled, throttled, service, stream,
	// network, panic, application or other.
	Class string `json:"class"`
	// Rule is what securebedrock.RuleName tells: "residency", "guardrail_override",
	// "read_timeout", …, of the package middleware "budget", "input_blocked", …, and
	// the names of the application's own rules.
	Rule string `json:"rule,omitempty"`
	// Service and Code are those of a service's error: "Bedrock Runtime",
	// "ThrottlingException".
	Service string `json:"service,omitempty"`
	Code    string `json:"code,omitempty"`
	Status  int    `json:"http_status,omitempty"`
}

// Line is the record as one line of JSON without its newline: what Chain signed,
// or else its encoding.
func (r *Record) Line() ([]byte, error) {
	if r.sealed != nil {
		return r.sealed, nil
	}
	return json.Marshal(r)
}
