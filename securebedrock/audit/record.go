package audit

import (
	"encoding/json"
	"time"
)

// Record is one line of the log. Record is an allow-list: nothing is recorded that
// has no field here, whatever the SDK adds. Strings are identifiers, counts and
// words of fixed lists. Text from a server or a caller is kept only if it has the
// form of an identifier. Only Input and Output can hold content, and only if
// Options.Content says so.
//
// A Record is not changed after it was given to a Sink.
type Record struct {
	// Schema is the constant Schema.
	Schema string `json:"schema"`
	Kind   Kind   `json:"kind"`
	// Time is the time at which the record was made, in UTC.
	Time time.Time `json:"time"`

	// CallID is Call.ID. Bedrock's own invocation log holds the same ID as the
	// request metadata "securebedrock-call-id".
	CallID string `json:"call_id,omitempty"`
	// CorrelationID is Call.CorrelationID as it was when the call reached this
	// middleware; "(no identifier)" if it does not have the form of an identifier.
	CorrelationID string `json:"correlation_id,omitempty"`
	// Subject is the result of Options.Subject: an identifier, or with
	// Options.SubjectKey "hmac-sha256:" and the HMAC of the subject. Subject is
	// "(no identifier)" if it does not have the form of an identifier, or if
	// Options.Subject failed.
	Subject      string `json:"subject,omitempty"`
	SubjectKeyID string `json:"subject_key_id,omitempty"` // the ID of Options.SubjectKey
	Operation    string `json:"operation,omitempty"`
	Application  string `json:"application,omitempty"` // Options.Application
	Region       string `json:"region,omitempty"`      // the pinned region
	Host         string `json:"host,omitempty"`        // the host to which the call goes
	Model        *Model `json:"model,omitempty"`       // absent if the operation has no model

	Guardrail *Guardrail `json:"guardrail,omitempty"` // absent if no guardrail is attached
	// Unguarded is the owner's reason to make a call without a guardrail.
	Unguarded string `json:"unguarded,omitempty"`
	// FailOpen is the owner's reason to send calls that cannot be recorded.
	FailOpen  string     `json:"fail_open,omitempty"`
	Principal *Principal `json:"principal,omitempty"`

	// Only an outcome has the fields below, except Input, Lost and Chain.

	RequestID  string        `json:"request_id,omitempty"`     // Bedrock's ID of the last attempt
	Duration   time.Duration `json:"duration_ns,omitempty"`    // until the end of the answer or stream
	FirstEvent time.Duration `json:"first_event_ns,omitempty"` // until a stream's first event
	Wait       time.Duration `json:"wait_ns,omitempty"`        // time spent on the rate limit and between attempts
	Attempts   int           `json:"attempts,omitempty"`       // number of sends; absent: nothing was sent
	Throttled  int           `json:"throttled,omitempty"`      // how many of Attempts were throttled
	StopReason string        `json:"stop_reason,omitempty"`
	Usage      *Usage        `json:"usage,omitempty"` // absent if no usage arrived
	// ServiceTier is the tier that served the call, if the answer names the tier.
	ServiceTier string `json:"service_tier,omitempty"`
	Events      int    `json:"events,omitempty"` // number of events of a stream
	// Canceled: the caller ended the call or the stream before its end.
	Canceled bool `json:"canceled,omitempty"`
	// Truncated: the stream ended early, and the caller did not end it.
	Truncated bool `json:"truncated,omitempty"`
	// Refused: a rule, this package, the SDK's validation or the application's
	// middleware ended the call, and nothing was sent.
	Refused bool   `json:"refused,omitempty"`
	Error   *Error `json:"error,omitempty"`
	// Tools are the tools that the answer of a Converse or ConverseStream calls, if
	// Options.ToolNames is set. A tool that the call did not declare is
	// "(undeclared)".
	Tools  []string `json:"tools,omitempty"`
	Input  *Content `json:"input,omitempty"`
	Output *Content `json:"output,omitempty"`

	// Lost is the number of records before this one that this middleware could not
	// write.
	Lost int64 `json:"lost,omitempty"`

	Resumed    *Resumed    `json:"resumed,omitempty"`    // only of KindResumed
	Checkpoint *Checkpoint `json:"checkpoint,omitempty"` // only of KindCheckpoint
	Skipped    *Skipped    `json:"skipped,omitempty"`    // only of KindSkipped
	Chain      *Link       `json:"chain,omitempty"`      // only of a record written through a Chain
	MAC        string      `json:"mac,omitempty"`        // covers the line up to this field

	sealed []byte // the line that Chain made
}

// Model is what a model identifier tells about the model.
type Model struct {
	// ID is the identifier as the caller wrote it; "(no identifier)" if it does not
	// have the form of an identifier.
	ID     string `json:"id"`
	Kind   string `json:"kind,omitempty"`   // securebedrock.ModelKind
	Prefix string `json:"prefix,omitempty"` // an inference profile's geography
	// Regions are the regions in which inference may run.
	Regions []string `json:"destination_regions,omitempty"`
}

// Guardrail is the pinned guardrail. In an outcome, Guardrail also holds what the
// answer says about the guardrail that ran. It never holds the text that matched.
type Guardrail struct {
	ID      string `json:"id,omitempty"` // of the pinned guardrail
	Version string `json:"version,omitempty"`

	Applied        bool   `json:"applied,omitempty"`    // the trace lists a guardrail
	Intervened     bool   `json:"intervened,omitempty"` // the guardrail blocked or masked something
	Origin         string `json:"origin,omitempty"`     // REQUEST, ACCOUNT_ENFORCED, …
	AppliedARN     string `json:"applied_arn,omitempty"`
	AppliedVersion string `json:"applied_version,omitempty"`
	// Policies are the names of the policies that acted: "content", "topic", …
	Policies []string `json:"policies,omitempty"`
}

// Principal is the identity that signed the call.
type Principal struct {
	RoleARN     string `json:"role_arn,omitempty"` // securebedrock.Options.Role
	SessionName string `json:"session_name,omitempty"`
	// ARN is the ARN of the assumed role's session once STS has returned it, or
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
	// Parts of CacheWriteTokens, if the answer distinguishes them: tokens written
	// for five minutes, and tokens written for an hour or another time.
	CacheWrite5mTokens int64 `json:"cache_write_5m_input_tokens,omitempty"`
	CacheWrite1hTokens int64 `json:"cache_write_1h_input_tokens,omitempty"`
}

// Error is the kind of error that the caller received. Error never holds the
// message.
type Error struct {
	// Class is one of refused, invalid, timeout, canceled, throttled, service,
	// stream, network, panic, application and other.
	Class string `json:"class"`
	// Rule is the result of securebedrock.RuleName: "residency",
	// "guardrail_override", "read_timeout", …; "budget", "input_blocked", … of
	// package middleware; or the name of an application's own rule.
	Rule string `json:"rule,omitempty"`
	// Service and Code are set for the error of a service: "Bedrock Runtime",
	// "ThrottlingException".
	Service string `json:"service,omitempty"`
	Code    string `json:"code,omitempty"`
	Status  int    `json:"http_status,omitempty"`
}

// Line returns the record as one line of JSON without its newline: the line that
// Chain made, or else the encoding of the record.
func (r *Record) Line() ([]byte, error) {
	if r.sealed != nil {
		return r.sealed, nil
	}
	return json.Marshal(r)
}
