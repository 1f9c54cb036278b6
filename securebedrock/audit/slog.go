package audit

import (
	"context"
	"fmt"
	"log/slog"

	"go.uber.org/zap/zapcore"
)

// Slog writes each record as one log record with the record's fields, at the levels
// of Zap. Write fails if the handler does not accept the level of the record, or
// cannot write the record. Middleware and Async refuse a handler that does not
// accept Info or Warn. Give the audit a handler that drops nothing: a handler that
// samples in its Handle and returns nil cannot be detected.
func Slog(logger *slog.Logger) Sink {
	if logger == nil {
		return noLogger{}
	}
	return slogSink{logger.Handler()}
}

type slogSink struct{ handler slog.Handler }

func (s slogSink) fault() error {
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelWarn} {
		if !s.handler.Enabled(context.Background(), level) {
			return fmt.Errorf("%w: it keeps no records of level %s; give the audit a handler that does", ErrDropped, level)
		}
	}
	return nil
}

func (s slogSink) Write(ctx context.Context, r *Record) error {
	level := slog.LevelInfo
	if r.warns() {
		level = slog.LevelWarn
	}
	if !s.handler.Enabled(ctx, level) {
		return ErrDropped
	}
	rec := slog.NewRecord(r.Time, level, r.message(), 0)
	rec.AddAttrs(r.LogValue().Group()...)
	return s.handler.Handle(ctx, rec)
}

// LogValue implements slog.LogValuer: a group with the names of the JSON form,
// sorted.
func (r *Record) LogValue() slog.Value {
	enc := zapcore.NewMapObjectEncoder()
	_ = r.MarshalLogObject(enc) // ours never fail
	return groupOf(enc.Fields)
}

func groupOf(fields map[string]any) slog.Value {
	attrs := make([]slog.Attr, 0, len(fields))
	for _, k := range sortedKeys(fields) {
		v := fields[k]
		if m, ok := v.(map[string]any); ok {
			attrs = append(attrs, slog.Attr{Key: k, Value: groupOf(m)})
			continue
		}
		attrs = append(attrs, slog.Any(k, v))
	}
	return slog.GroupValue(attrs...)
}
