package audit

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// recordOf is what is known of a call before its outcome. The subject is in the form
// that is recorded.
func recordOf(c *securebedrock.Call, kind Kind, o *Options, subject string) *Record {
	r := &Record{
		Schema: Schema, Kind: kind, Time: time.Now().UTC(),
		CallID: word(c.ID), CorrelationID: identifier(c.CorrelationID), Operation: word(c.Operation), Application: o.Application,
		Region: word(c.Region), Host: hostOf(c.Host), Model: modelOf(c.Model), Subject: subject,
		Unguarded: phrase(c.Unguarded), FailOpen: o.FailOpen,
	}
	if strings.HasPrefix(subject, subjectPrefix) {
		r.SubjectKeyID = o.SubjectKey.ID
	}
	if c.Guardrail.ID != "" {
		r.Guardrail = &Guardrail{ID: word(c.Guardrail.ID), Version: word(c.Guardrail.Version)}
	}
	if c.RoleARN != "" || o.CallerARN != "" {
		r.Principal = &Principal{RoleARN: word(c.RoleARN), SessionName: word(c.SessionName), ARN: o.CallerARN}
		if c.RoleARN != "" {
			r.Principal.ARN = "" // STS tells it
		}
	}
	return r
}

// outcome adds what became of the call. The error that the caller got counts where
// the Outcome has none.
func (r *Record) outcome(o *securebedrock.Outcome, returned error) {
	r.RequestID, r.Duration, r.FirstEvent, r.Wait = word(o.RequestID), o.Latency, o.FirstEvent, o.Wait
	r.Attempts, r.Throttled, r.Events = o.Attempts, o.Throttled, o.Events
	r.StopReason, r.ServiceTier, r.Canceled = word(o.StopReason), word(o.ServiceTier), o.Canceled
	if o.Usage != (securebedrock.Usage{}) {
		u := Usage(o.Usage)
		r.Usage = &u
	}
	if g := o.Guardrail; g.Applied || g.Intervened {
		if r.Guardrail == nil { // enforced by the account, or ApplyGuardrail
			r.Guardrail = new(Guardrail)
		}
		r.Guardrail.Applied, r.Guardrail.Intervened, r.Guardrail.Origin = g.Applied, g.Intervened, word(g.Origin)
		r.Guardrail.AppliedARN, r.Guardrail.AppliedVersion, r.Guardrail.Policies = word(g.ARN), word(g.Version), words(g.Policies)
	}
	if o.AccessKeyID != "" || o.Principal != "" {
		if r.Principal == nil {
			r.Principal = new(Principal)
		}
		r.Principal.AccessKeyID = word(o.AccessKeyID)
		if o.Principal != "" {
			r.Principal.ARN = word(o.Principal)
		}
	}
	err := o.Err
	if err == nil {
		err = returned
	}
	if err == errPanic {
		r.Error = &Error{Class: "panic"}
	} else if caught("an error's method", func() error { r.Error = errorOf(err, o.Attempts > 0); return nil }) != nil {
		r.Error = &Error{Class: "other"} // Is, As or Unwrap of an error of the application's
	}
	if r.Error != nil {
		class := r.Error.Class
		r.Refused = o.Attempts == 0 && (class == "refused" || class == "application" || class == "invalid")
		r.Truncated = r.Error.Rule == "stream_truncated" || class == "timeout" && o.Events > 0
	}
}

// modelOf records an identifier only where it parses: any other text in its place
// could be a prompt.
func modelOf(m securebedrock.Model) *Model {
	if m.ID == "" && m.Kind == "" {
		return nil
	}
	if m.Kind == "" {
		return &Model{ID: noWord}
	}
	return &Model{ID: m.ID, Kind: string(m.Kind), Prefix: m.Prefix, Regions: slices.Clone(m.Regions)}
}

var errPanic = errors.New("panic")
