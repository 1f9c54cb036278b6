package profiles_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go/logging"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/profiles"
)

// A control plane that falls silent in its answer is told by a rule of its own, well
// before Options.Timeout.
func TestSilenceHasItsOwnError(t *testing.T) {
	cp := newControlPlane(t)
	cp.answer(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, `{"inferenceProfileArn":`)
		http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	r := newResolver(t, cp, func(_ *aws.Config, o *profiles.Options) { o.Timeout = 4 * time.Second })
	if _, err := r.Destinations(t.Context(), ownARN, region); !errors.Is(err, securebedrock.ErrReadTimeout) {
		t.Errorf("got %v", err)
	}
}

// VerifyPeerCertificate is asked for each connection: crypto/tls would not ask it for
// a resumed session.
func TestNoSessionIsResumedPastTheOwnersCheck(t *testing.T) {
	cp := newControlPlane(t)
	var handshakes, checked atomic.Int32
	cp.answer(func(w http.ResponseWriter, r *http.Request) {
		if handshakes.Add(1); r.TLS.DidResume {
			t.Error("a session was resumed")
		}
		fail(w, http.StatusNotFound, "ResourceNotFoundException")
	})
	theirs := cp.Client().Transport.(*http.Transport).Clone()
	theirs.DisableKeepAlives = true
	theirs.TLSClientConfig.ClientSessionCache = tls.NewLRUClientSessionCache(0)
	theirs.TLSClientConfig.VerifyPeerCertificate = func([][]byte, [][]*x509.Certificate) error { checked.Add(1); return nil }
	r := newResolver(t, cp, func(cfg *aws.Config, _ *profiles.Options) { cfg.HTTPClient = &http.Client{Transport: theirs} })
	for _, id := range []string{ownARN, ownARN + "2", ownARN + "3"} {
		if _, err := r.Destinations(t.Context(), id, region); err == nil {
			t.Error("an answer came from nowhere")
		}
	}
	if handshakes.Load() != 3 || checked.Load() != 3 {
		t.Errorf("%d connections, and %d were checked", handshakes.Load(), checked.Load())
	}
}

// An answer that has no end is refused by the client's own rule.
func TestEndlessAnswerIsRefused(t *testing.T) {
	cp := newControlPlane(t)
	cp.answer(func(w http.ResponseWriter, _ *http.Request) {
		space := []byte(strings.Repeat(" ", 1<<16))
		for range 64 {
			if _, err := w.Write(space); err != nil {
				return
			}
		}
	})
	if _, err := newResolver(t, cp).Destinations(t.Context(), ownARN, region); !errors.Is(err, securebedrock.ErrAnswerSize) {
		t.Errorf("got %v", err)
	}
	if n := len(cp.received()); n != 1 {
		t.Errorf("the control plane was asked %d times", n)
	}
}

// A session token of the configured credentials is sent, and is what the gate demands.
func TestSessionTokenPasses(t *testing.T) {
	cp := newControlPlane(t)
	cp.put(ownARN, applicationProfile(region))
	r := newResolver(t, cp, func(cfg *aws.Config, _ *profiles.Options) {
		cfg.Credentials = credentials.NewStaticCredentialsProvider(accessKey, "secret", "token")
	})
	if _, err := r.Destinations(t.Context(), ownARN, region); err != nil {
		t.Fatal(err)
	}
	if got := cp.received(); len(got) != 1 || got[0].Header.Get("X-Amz-Security-Token") != "token" {
		t.Errorf("the control plane received %d requests", len(got))
	}
}

// A nil pointer in the configuration is found at construction, or does no harm.
func TestNilInTheConfiguration(t *testing.T) {
	cp := newControlPlane(t)
	cfg := cp.config()
	cfg.Credentials = (*credentials.StaticCredentialsProvider)(nil)
	if _, err := profiles.New(cfg, cp.options()); !errors.Is(err, securebedrock.ErrConfig) || !strings.Contains(err.Error(), "Credentials") {
		t.Errorf("credentials: got %v", err)
	}
	cp.put(ownARN, applicationProfile(region))
	r := newResolver(t, cp, func(cfg *aws.Config, _ *profiles.Options) {
		cfg.Logger, cfg.ClientLogMode = (*nilLogger)(nil), aws.LogRequest|aws.LogSigning
	})
	if _, err := r.Destinations(t.Context(), ownARN, region); err != nil {
		t.Errorf("logger: got %v", err)
	}
}

type nilLogger struct{ lines []string }

func (l *nilLogger) Logf(_ logging.Classification, format string, _ ...any) {
	l.lines = append(l.lines, format)
}
