package audit

import (
	"context"
	"fmt"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// Zap writes each record as one entry, "bedrock intent" or "bedrock outcome", with
// the record's fields. The level is Warn if a call failed or was refused, the
// guardrail intervened, or no guardrail was attached. Otherwise the level is Info.
//
// The audit needs every record. Zap's samplers, including the sampler of
// zap.NewProduction, keep 100 entries of a message in a second and then every
// hundredth. The records bypass these samplers. Some loggers drop records in a way
// that cannot be bypassed: a logger that keeps no entries of level Info or Warn,
// and a sampler or filter inside a core that does not show it (zap.IncreaseLevel, a
// core of another package). Middleware, Async and each Write then return an error
// that wraps ErrDropped. Give the audit a logger without them: set
// zap.Config.Sampling to nil, or use zap.New with a separate core. A core that
// drops entries in its Write and returns no error cannot be detected.
//
// A record is as safe as the logger's output. With zapcore.BufferedWriteSyncer a
// record is safe only after Flush.
func Zap(logger *zap.Logger) Sink {
	if logger == nil || logger.Core() == nil {
		return noLogger{}
	}
	s := zapSink{logger: logger, core: logger.Core()}
	s.bad = caught("the logger's core", func() error {
		s.core = unsampled(s.core)
		return droppedBy(s.core)
	})
	return s
}

type zapSink struct {
	logger *zap.Logger
	core   zapcore.Core
	bad    error // a sampler that is in the way
}

func (s zapSink) fault() error {
	if s.bad != nil {
		return s.bad
	}
	for _, level := range []zapcore.Level{zapcore.InfoLevel, zapcore.WarnLevel} {
		if s.core.Check(zapcore.Entry{Level: level, Time: longAgo(), LoggerName: s.logger.Name(), Message: probe}, nil) == nil {
			return fmt.Errorf("%w: it keeps no entries of level %s; give the audit a logger that does", ErrDropped, level)
		}
	}
	return nil
}

func (s zapSink) Write(_ context.Context, r *Record) error {
	if s.bad != nil {
		return s.bad
	}
	level := zapcore.InfoLevel
	if r.warns() {
		level = zapcore.WarnLevel
	}
	entry := zapcore.Entry{Level: level, Time: r.Time, LoggerName: s.logger.Name(), Message: r.message()}
	checked := s.core.Check(entry, nil)
	if checked == nil {
		return ErrDropped
	}
	failed := new(writeError)
	checked.ErrorOutput = failed // where a CheckedEntry tells of a core's error
	checked.Write(zap.Inline(r))
	return failed.err
}

// Flush syncs the logger. A terminal, pipe or socket that cannot be synced has
// nothing to sync.
func (s zapSink) Flush(context.Context) error {
	err := s.logger.Sync()
	if unsyncable(err) {
		return nil
	}
	return err
}

// writeError takes the message that zap writes where a core fails.
type writeError struct{ err error }

func (w *writeError) Write(p []byte) (int, error) {
	w.err = fmt.Errorf("audit: zap: %s", phrase(string(p)))
	return len(p), nil
}

func (w *writeError) Sync() error { return nil }

// MarshalLogObject implements zapcore.ObjectMarshaler, with the names of the JSON
// form.
func (r *Record) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	e := encoder{enc}
	e.always("schema", r.Schema)
	e.always("kind", string(r.Kind))
	enc.AddString("time", r.Time.Format(time.RFC3339Nano))
	e.text("call_id", r.CallID)
	e.text("correlation_id", r.CorrelationID)
	e.text("subject", r.Subject)
	e.text("subject_key_id", r.SubjectKeyID)
	e.text("operation", r.Operation)
	e.text("application", r.Application)
	e.text("region", r.Region)
	e.text("host", r.Host)
	e.object("model", r.Model != nil, r.Model)
	e.object("guardrail", r.Guardrail != nil, r.Guardrail)
	e.text("unguarded", r.Unguarded)
	e.text("fail_open", r.FailOpen)
	e.object("principal", r.Principal != nil, r.Principal)
	e.text("request_id", r.RequestID)
	e.number("duration_ns", int64(r.Duration))
	e.number("first_event_ns", int64(r.FirstEvent))
	e.number("wait_ns", int64(r.Wait))
	e.number("attempts", int64(r.Attempts))
	e.number("throttled", int64(r.Throttled))
	e.text("stop_reason", r.StopReason)
	e.object("usage", r.Usage != nil, r.Usage)
	e.text("service_tier", r.ServiceTier)
	e.number("events", int64(r.Events))
	e.flag("canceled", r.Canceled)
	e.flag("truncated", r.Truncated)
	e.flag("refused", r.Refused)
	e.object("error", r.Error != nil, r.Error)
	e.list("tools", r.Tools)
	e.object("input", r.Input != nil, r.Input)
	e.object("output", r.Output != nil, r.Output)
	e.number("lost", r.Lost)
	e.object("resumed", r.Resumed != nil, r.Resumed)
	e.object("checkpoint", r.Checkpoint != nil, r.Checkpoint)
	e.object("skipped", r.Skipped != nil, r.Skipped)
	e.object("chain", r.Chain != nil, r.Chain)
	e.text("mac", r.MAC)
	return nil
}

// encoder leaves out what is empty, as the JSON form does. No part of a Record can
// fail to encode.
type encoder struct{ zapcore.ObjectEncoder }

func (e encoder) always(key, v string) { e.AddString(key, v) }

func (e encoder) text(key, v string) {
	if v != "" {
		e.AddString(key, v)
	}
}

func (e encoder) number(key string, v int64) {
	if v != 0 {
		e.AddInt64(key, v)
	}
}

func (e encoder) flag(key string, v bool) {
	if v {
		e.AddBool(key, v)
	}
}

func (e encoder) object(key string, has bool, v zapcore.ObjectMarshaler) {
	if has {
		_ = e.AddObject(key, v) // ours never fail
	}
}

func (e encoder) list(key string, v []string) {
	if len(v) > 0 {
		_ = e.AddArray(key, texts(v))
	}
}

type texts []string

func (t texts) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	for _, s := range t {
		enc.AppendString(s)
	}
	return nil
}
