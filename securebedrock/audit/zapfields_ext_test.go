package audit_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"reflect"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// JSON, zap and slog say the same of every field, and of none that is empty.
func TestEncodingsAgree(t *testing.T) {
	tree := func(b []byte) any {
		var v any
		if err := json.Unmarshal(b, &v); err != nil {
			t.Fatalf("%v in %s", err, b)
		}
		return v
	}
	for name, r := range map[string]*audit.Record{"filled": filled(t), "empty": {Schema: audit.Schema, Kind: audit.KindIntent, Time: time.Now().UTC()}} {
		line, _ := r.Line()
		want := tree(line)

		var z bytes.Buffer
		logger := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zapcore.EncoderConfig{}), zapcore.AddSync(&z), zapcore.InfoLevel))
		if err := audit.Zap(logger).Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got := tree(z.Bytes()); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: zap has\n%v\nwant\n%v", name, got, want)
		}
		var s bytes.Buffer
		h := slog.NewJSONHandler(&s, &slog.HandlerOptions{ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if len(groups) == 0 && (a.Key == slog.LevelKey || a.Key == slog.MessageKey || a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime) {
				return slog.Attr{}
			}
			return a
		}})
		if err := audit.Slog(slog.New(h)).Write(t.Context(), r); err != nil {
			t.Fatal(err)
		}
		if got := tree(s.Bytes()); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: slog has\n%v\nwant\n%v", name, got, want)
		}
	}
}
