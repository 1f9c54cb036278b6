package audit_test

import (
	"errors"
	"io"
	"log/slog"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

func TestLoggersThatDropOrFailAreErrors(t *testing.T) {
	encoder := zapcore.NewJSONEncoder(zapcore.EncoderConfig{})
	core := func(w zapcore.WriteSyncer, level zapcore.Level) zapcore.Core {
		return zapcore.NewCore(encoder, w, level)
	}
	discard := zapcore.AddSync(io.Discard)
	for _, row := range []struct {
		name string
		sink audit.Sink
		ok   bool
		want error
	}{
		{"zap", audit.Zap(zap.New(core(discard, zapcore.InfoLevel))), true, nil},
		{"zap with fields, a name and a hook", audit.Zap(zap.New(core(discard, zapcore.InfoLevel), zap.Hooks(func(zapcore.Entry) error { return nil })).Named("a").With(zap.Int("b", 1))), true, nil},
		{"zap at level error", audit.Zap(zap.New(core(discard, zapcore.ErrorLevel))), false, audit.ErrDropped},
		{"zap with a sampler, which the records go by", audit.Zap(zap.New(zapcore.NewSamplerWithOptions(core(discard, zapcore.InfoLevel), time.Hour, 1, 0))), true, nil},
		{"zap whose core fails", audit.Zap(zap.New(core(failingSyncer{}, zapcore.InfoLevel))), false, nil},
		{"zap with a tee of which one fails", audit.Zap(zap.New(zapcore.NewTee(core(discard, zapcore.InfoLevel), core(failingSyncer{}, zapcore.InfoLevel)))), false, nil},
		{"no zap logger", audit.Zap(nil), false, nil},
		{"slog", audit.Slog(slog.New(slog.NewTextHandler(io.Discard, nil))), true, nil},
		{"slog at level error", audit.Slog(slog.New(slog.NewTextHandler(io.Discard, &slog.HandlerOptions{Level: slog.LevelError}))), false, audit.ErrDropped},
		{"slog whose writer fails", audit.Slog(slog.New(slog.NewTextHandler(failingSyncer{}, nil))), false, errSink},
		{"no slog logger", audit.Slog(nil), false, nil},
		{"no sinks", audit.Multi(), false, nil},
		{"a nil sink among others", audit.Multi(new(memory), nil), false, nil},
	} {
		_ = row.sink.Write(t.Context(), sample(1))
		err := row.sink.Write(t.Context(), sample(2))
		if (err == nil) != row.ok || row.want != nil && !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.name, err)
		}
	}
}

type failingSyncer struct{}

func (failingSyncer) Write([]byte) (int, error) { return 0, errSink }

func (failingSyncer) Sync() error { return nil }
