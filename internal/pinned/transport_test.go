package pinned

import (
	"compress/gzip"
	"crypto/tls"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

// An answer is not unpacked, whatever the server does: what unpacks itself has no bound.
func TestAnswersAreNotUnpacked(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "" {
			t.Errorf("the transport offers %q", got)
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		z.Write(make([]byte, 1<<20))
		z.Close()
	}))
	defer server.Close()
	transport, err := made(nil, server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer transport.CloseIdleConnections()
	resp, err := (&http.Client{Transport: transport}).Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if got, err := io.ReadAll(resp.Body); err != nil || len(got) > 1<<16 {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

// TLS 1.2 is the least, also where the owner's transport would speak less.
func TestLeastTLS(t *testing.T) {
	for name, theirs := range map[string]*http.Client{
		"no transport of the owner's": nil,
		"a transport without TLS":     {Transport: &http.Transport{}},
		"a transport with TLS 1.0":    {Transport: &http.Transport{TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS10}}},
	} {
		transport, err := made(theirs, "")
		if err != nil || transport.TLSClientConfig.MinVersion < tls.VersionTLS12 {
			t.Errorf("%s: %x, %v", name, transport.TLSClientConfig.MinVersion, err)
		}
	}
}
