package proxy

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func TestHealth(t *testing.T) {
	door := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })
	for _, row := range []struct {
		what, method, target string
		spoil                func(*health)
		want                 int
	}{
		{"a proxy that lives", "GET", "/healthz", func(*health) {}, 200},
		{"a proxy that is ready", "GET", "/readyz", func(*health) {}, 200},
		{"one that never had credentials lives", "GET", "/healthz", func(h *health) { h.warm.Store(false) }, 200},
		{"one that never had credentials is not ready", "GET", "/readyz", func(h *health) { h.warm.Store(false) }, 503},
		{"one that ends is not ready", "GET", "/readyz", func(h *health) { h.stopping.Store(true) }, 503},
		{"one that cannot record is not ready", "GET", "/readyz", func(h *health) { h.records.failed, h.records.tried = true, time.Now() }, 503},
		{"a query changes nothing", "GET", "/readyz?verbose=1", func(*health) {}, 200},
		{"POST", "POST", "/healthz", func(*health) {}, 405},
		{"HEAD", "HEAD", "/readyz", func(*health) {}, 405},
		{"a path below", "GET", "/healthz/x", func(*health) {}, 418},
		{"two slashes", "GET", "//healthz", func(*health) {}, 418},
		{"a path above", "GET", "/x/../healthz", func(*health) {}, 418},
		{"a model", "POST", "/model/x/converse", func(*health) {}, 418},
	} {
		h := &health{records: &records{}, door: door}
		h.warm.Store(true)
		row.spoil(h)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(row.method, row.target, nil))
		if w.Code != row.want {
			t.Errorf("%s: status %d, want %d", row.what, w.Code, row.want)
		}
		if body, err := io.ReadAll(w.Body); err != nil || len(body) > 20 {
			t.Errorf("%s: the answer tells %q", row.what, body)
		}
	}
}
