package audit

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Options are the options of Middleware. The zero value records everything except
// content, and refuses a call that cannot be recorded.
type Options struct {
	// Application is the application's name in every record. At most 1024 bytes.
	Application string

	// CallerARN is the ARN of the identity that signs (STS GetCallerIdentity) when
	// the client has no Role. With a Role, the ARN of the role's session is
	// recorded.
	CallerARN string

	// Subject returns the end user or service for whom a call is made, such as the
	// subject of an ID token that the application keeps in the context. Subject
	// runs once for each call, before the intent is written, and must not change
	// the call.
	//
	// A subject has at most 256 letters, digits and "-_.:/+=,@*", and is not a key
	// or token. Any other subject is recorded as "(no identifier)". An empty
	// subject is not recorded.
	//
	// If Subject panics, or does not return within WriteTimeout or before the
	// call's context ends, the records have "(no identifier)" and the call is
	// refused with ErrAudit, unless FailOpen is set.
	Subject func(context.Context, *securebedrock.Call) string

	// SubjectKey, if set, replaces the recorded subject by "hmac-sha256:" and the
	// subject's HMAC-SHA-256 in hex (DigestSubject). The subject may then have any
	// form and length. Finding the records of one subject then requires this key:
	// keep it.
	SubjectKey Key

	// Content selects what is recorded of prompts and answers. Zero: the number of
	// messages, blocks and bytes, and no content.
	Content ContentPolicy

	// ToolNames records the names of the tools that an answer calls.
	ToolNames bool

	// FailOpen is the reason to send a call although its intent could not be
	// written or Subject failed. Empty: such a call is refused with ErrAudit.
	FailOpen string

	// WriteTimeout bounds one write of a record, also when the sink ignores its
	// context. WriteTimeout bounds Subject too. Half of WriteTimeout bounds the
	// redaction of a record's content. The write of an intent also ends with the
	// caller's context. Zero: 5 s.
	WriteTimeout time.Duration

	// Attempts is the number of times that an outcome is written before it is lost.
	// The pauses between the writes start at 20 ms and double up to 1 s. All writes
	// and pauses take at most Attempts times WriteTimeout. A write that has not
	// returned is waited for and not repeated. Zero: 4.
	//
	// An intent is written once. The outcome of a call that is refused because its
	// intent was not written is also written once.
	Attempts int

	// OnLost receives each record that could not be written, with the last error.
	// Many goroutines may call OnLost at the same time. The call waits for OnLost
	// for at most WriteTimeout. A panic of OnLost is caught. Stats.Untold counts
	// the panics and the timeouts.
	OnLost func(r *Record, err error)

	// Stats, if set, receives the counts of this middleware.
	Stats *Stats
}

// Stats counts records. It is safe for concurrent use.
type Stats struct {
	Intents  atomic.Int64 // written
	Outcomes atomic.Int64 // written
	Retries  atomic.Int64 // writes of an outcome after the first
	Lost     atomic.Int64 // records given up
	Refused  atomic.Int64 // calls refused because their intent could not be written, or Subject failed
	Untold   atomic.Int64 // lost records of which OnLost panicked or did not return in time
}

const defaultAttempts = 4

func (o *Options) check(sink Sink) error {
	var faults []error
	fault := func(field, format string, args ...any) {
		faults = append(faults, fmt.Errorf("%w: audit: %s: %s", securebedrock.ErrConfig, field, fmt.Sprintf(format, args...)))
	}
	if sink == nil {
		fault("sink", "none is given; records need a place to go")
	} else if err := faultOf(sink); err != nil {
		faults = append(faults, fmt.Errorf("%w: audit: sink: %w", securebedrock.ErrConfig, err))
	}
	if len(o.Application) > 1024 {
		fault("Application", "%d bytes; at most 1024", len(o.Application))
	}
	if word(o.CallerARN) == noWord || o.CallerARN != "" && !strings.HasPrefix(o.CallerARN, "arn:") {
		fault("CallerARN", "it is not an ARN")
	}
	if o.SubjectKey.ID != "" || len(o.SubjectKey.Secret) > 0 {
		if msg := o.SubjectKey.fault(); msg != "" {
			fault("SubjectKey", "%s", msg)
		}
		if o.Subject == nil {
			fault("SubjectKey", "without Subject there is nothing to digest; give both or no key")
		}
	}
	if o.WriteTimeout < 0 {
		fault("WriteTimeout", "%s; give a positive time, or none for %s", o.WriteTimeout, defaultWriteTimeout)
	}
	if o.Attempts < 0 {
		fault("Attempts", "%d; give a positive number, or none for %d", o.Attempts, defaultAttempts)
	}
	o.Content.check(fault)
	return errors.Join(faults...)
}
