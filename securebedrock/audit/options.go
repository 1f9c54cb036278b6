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

// Options of a Middleware. The zero value records everything but content, and
// refuses a call that cannot be recorded.
type Options struct {
	// Application is the application's name, in every record. At most 1024 bytes.
	Application string

	// CallerARN is the ARN of the identity that signs (STS GetCallerIdentity)
	// where the client has no Role. With a Role its session's ARN is recorded.
	CallerARN string

	// Subject names the end user or service for whom a call is made, such as the
	// subject of an ID token that the application keeps in the context. It is asked
	// once a call, before the intent is written, and must not change the call. The
	// empty text is not recorded. At most 256 letters, digits and "-_.:/+=,@*", and no
	// key or token, else the records read "(no identifier)". Where it panics, or does
	// not return within WriteTimeout and the call's context, the records read so too,
	// and the call is refused with ErrAudit unless FailOpen is set.
	Subject func(context.Context, *securebedrock.Call) string

	// SubjectKey, where it is set, records of the subject "hmac-sha256:" and its
	// HMAC-SHA-256 in hex (DigestSubject), for subjects of any form and length. The
	// records of one subject are then found with the key alone. Keep it.
	SubjectKey Key

	// Content says what is recorded of prompts and answers. Zero: that there was
	// a prompt, of so many messages, blocks and bytes, and nothing of it.
	Content ContentPolicy

	// ToolNames records the names of the tools that an answer calls.
	ToolNames bool

	// FailOpen is the reason for which a call is sent although its intent could
	// not be written, or Subject failed. Empty: such a call is refused with ErrAudit.
	FailOpen string

	// WriteTimeout bounds one write of a record, whether the sink heeds its context
	// or not, and Subject, and half of it bounds the redaction of its content. The
	// caller's context bounds the write of an intent, too. Zero: 5 s.
	WriteTimeout time.Duration

	// Attempts counts the writes of an outcome before it is lost, with pauses
	// from 20 ms on that double, up to 1 s. Zero: 4. All of them and the pauses
	// take at most Attempts times WriteTimeout. A write that does not return is
	// waited for, and not made twice. An intent is written once, and so is the
	// outcome of a call that is refused because its intent was not written.
	Attempts int

	// OnLost is given each record that could not be written, with the last error.
	// It may be called by many goroutines at once. The call waits for it, for
	// WriteTimeout at most; a panic of it is caught. Stats.Untold counts both.
	OnLost func(r *Record, err error)

	// Stats, where set, is counted up by the middleware.
	Stats *Stats
}

// Stats counts records.
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
