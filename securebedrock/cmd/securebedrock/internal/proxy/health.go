package proxy

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// health answers whether the proxy lives and whether it can serve. It needs no key, tells
// nothing else, and calls no model.
type health struct {
	warm     atomic.Bool // credentials were fetched once
	stopping atomic.Bool
	records  *records
	door     http.Handler // everything else
}

// probeTimeout bounds what /readyz waits for.
const probeTimeout = 2 * time.Second

// ServeHTTP implements http.Handler.
func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/healthz":
		answer(w, r, true)
	case "/readyz":
		answer(w, r, h.ready(r.Context()))
	default:
		h.door.ServeHTTP(w, r)
	}
}

func (h *health) ready(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTimeout)
	defer cancel()
	return h.warm.Load() && !h.stopping.Load() && h.records.writable(ctx)
}

func answer(w http.ResponseWriter, r *http.Request, ok bool) {
	w.Header().Set("Cache-Control", "no-store")
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", http.MethodGet)
		http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		return
	}
	if !ok {
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("ok\n"))
}
