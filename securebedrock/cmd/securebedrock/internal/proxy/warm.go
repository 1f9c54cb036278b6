package proxy

import (
	"context"
	"log/slog"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// The pauses between attempts to fetch credentials double from the one to the other.
const (
	firstPause = time.Second
	lastPause  = 30 * time.Second
)

// warm fetches credentials until it succeeds, so that readiness does not need a call.
func warm(ctx context.Context, c *securebedrock.Client, log *slog.Logger, done func()) {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := c.Warm(ctx)
		if err == nil {
			done()
			return
		}
		if ctx.Err() != nil {
			return
		}
		log.Warn("the proxy is not ready: credentials or the endpoint cannot be reached", "error", err.Error(), "again_in", pause.String())
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return
		}
	}
}
