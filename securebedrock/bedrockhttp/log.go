package bedrockhttp

import (
	"log/slog"

	"github.com/securebedrock/securebedrock-go/internal/wire"
)

const logLevel = slog.LevelWarn

// attrsOf is what the line of a refusal says: names of a fixed set, and the name of the
// caller's key.
func attrsOf(x *visit, e *wire.Error) []slog.Attr {
	attrs := []slog.Attr{slog.Int("status", e.Status), slog.String("code", e.Code)}
	switch path := x.r.URL.EscapedPath(); {
	case x.target.operation.Name != "":
		attrs = append(attrs, slog.String("operation", x.target.operation.Name))
	default:
		if op, _, ok := wire.Route(x.r.Method, path); ok {
			attrs = append(attrs, slog.String("operation", op.Name))
		} else if name, ok := wire.Unserved(x.r.Method, path); ok {
			attrs = append(attrs, slog.String("path", name))
		} else {
			attrs = append(attrs, slog.String("path", "unknown"))
		}
	}
	if x.caller.Name != "" {
		attrs = append(attrs, slog.String("caller", x.caller.Name))
	}
	return attrs
}
