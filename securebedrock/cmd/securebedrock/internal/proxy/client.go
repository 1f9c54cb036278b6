package proxy

import (
	"context"
	"errors"
	"log/slog"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// newClient makes the guarded client. Telemetry and records stand outside of the budgets,
// so that they see what a budget refuses.
func newClient(ctx context.Context, p plan, t *telemetry, r *records, log *slog.Logger) (*securebedrock.Client, error) {
	observe, err := t.middleware()
	record, err2 := r.middleware(p, log)
	bound, err3 := budgets(p.Callers)
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	opts := p.options
	for _, m := range []securebedrock.Middleware{observe, record, bound} {
		if m != nil {
			opts.Middleware = append(opts.Middleware, m)
		}
	}
	return securebedrock.New(ctx, opts)
}
