package audit_test

import (
	"context"
	"io"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

func discardingZap() audit.Sink {
	return audit.Zap(zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), zapcore.AddSync(io.Discard), zapcore.InfoLevel)))
}

func sinks(b *testing.B) map[string]audit.Sink {
	return map[string]audit.Sink{
		"none":           nil,
		"Zap":            discardingZap(),
		"JSONLines":      audit.JSONLines(io.Discard),
		"Chain":          chain(b, audit.JSONLines(io.Discard)),
		"Chain over Zap": chain(b, discardingZap()),
	}
}

// What the middleware and its sinks add to a call, without the call.
func BenchmarkMiddleware(b *testing.B) {
	answer := &securebedrock.Result{}
	handler := func(context.Context, *securebedrock.Call) (*securebedrock.Result, error) { return answer, nil }
	in := converse("hello")
	for name, sink := range sinks(b) {
		b.Run(name, func(b *testing.B) {
			h := securebedrock.Handler(handler)
			if sink != nil {
				h = record(b, sink, audit.Options{})(h)
			}
			b.ReportAllocs()
			for b.Loop() {
				call := &securebedrock.Call{ID: "ABC", Operation: "Converse", Region: "us-east-1", Host: "127.0.0.1:1", Input: in,
					Model:     securebedrock.Model{ID: haiku, Kind: securebedrock.KindFoundationModel, Regions: []string{"us-east-1"}},
					Guardrail: securebedrock.Guardrail{ID: "gr0default000", Version: "1"}}
				if _, err := h(b.Context(), call); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The same beside a whole call over loopback.
func BenchmarkCall(b *testing.B) {
	for name, sink := range sinks(b) {
		b.Run(name, func(b *testing.B) {
			server := bedrocktest.NewServer(b, bedrocktest.WithPlainHTTP())
			o := server.Options()
			if sink != nil {
				o.Middleware = []securebedrock.Middleware{record(b, sink, audit.Options{})}
			}
			c, err := securebedrock.NewFromConfig(server.Config(), o)
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			in := converse("hello")
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.Converse(b.Context(), in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkVerify(b *testing.B) {
	log := logOf(b, 10_000, 1000)
	b.SetBytes(int64(len(log)))
	for b.Loop() {
		if !verify(b, log, keys(key1)).OK() {
			b.Fatal("it does not verify")
		}
	}
}
