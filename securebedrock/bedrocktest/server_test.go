package bedrocktest

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A request that arrives when Close has begun is neither recorded nor answered.
func TestNoRequestAfterClose(t *testing.T) {
	s := NewServer(t)
	s.Close()
	defer func() {
		if p := recover(); p != http.ErrAbortHandler || len(s.Calls()) != 0 {
			t.Errorf("%v, %d calls", p, len(s.Calls()))
		}
	}()
	s.handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil))
}
