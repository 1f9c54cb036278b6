package profiles

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// What loosens TLS or changes the peer is refused, as the client refuses it.
func TestOwnerValuesAreRefused(t *testing.T) {
	dial := func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("not dialled") }
	for name, row := range map[string]struct {
		transport *http.Transport
		plain     bool
	}{
		"InsecureSkipVerify":                {&http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}, false},
		"KeyLogWriter":                      {&http.Transport{TLSClientConfig: &tls.Config{KeyLogWriter: io.Discard}}, false},
		"Time":                              {&http.Transport{TLSClientConfig: &tls.Config{Time: time.Now}}, false},
		"a MaxVersion below TLS 1.2":        {&http.Transport{TLSClientConfig: &tls.Config{MaxVersion: tls.VersionTLS11}}, false},
		"an insecure cipher suite":          {&http.Transport{TLSClientConfig: &tls.Config{CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}}}, false},
		"DialTLSContext":                    {&http.Transport{DialTLSContext: dial}, false},
		"a dialer beside a plain endpoint":  {&http.Transport{DialContext: dial}, true},
		"a TLSNextProto of another service": {&http.Transport{TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{"x": nil}}, false},
	} {
		var faults refusal.Faults
		newClient(&http.Client{Transport: row.transport}, row.plain, time.Second, &faults)
		if err := faults.Err(); !errors.Is(err, securebedrock.ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What is the owner's to say is kept.
func TestOwnerValuesAreKept(t *testing.T) {
	dialled := errors.New("dialled by the owner's dialer")
	suites := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	var p http.Protocols
	p.SetHTTP1(true)
	var faults refusal.Faults
	_, ours := newClient(&http.Client{Transport: &http.Transport{
		DialContext:     func(context.Context, string, string) (net.Conn, error) { return nil, dialled },
		Protocols:       &p,
		TLSClientConfig: &tls.Config{CipherSuites: suites, MinVersion: tls.VersionTLS13},
	}}, false, time.Second, &faults)
	if err := faults.Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := ours.DialContext(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, dialled) {
		t.Errorf("the owner's dialer was dropped: %v", err)
	}
	if ours.Protocols.HTTP2() || ours.ForceAttemptHTTP2 {
		t.Error("HTTP/2 was switched on again")
	}
	if c := ours.TLSClientConfig; len(c.CipherSuites) != 1 || c.CipherSuites[0] != suites[0] || c.MinVersion != tls.VersionTLS13 {
		t.Errorf("TLS is %v from %x", c.CipherSuites, c.MinVersion)
	}
}

// answered is a round trip whose answer has a Date of its own.
type answered struct{ date string }

func (a answered) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusForbidden, Header: http.Header{"Date": {a.date}}, Body: http.NoBody}, nil
}

// An answer with a false Date does not have later requests signed for another year.
func TestSkewIsBounded(t *testing.T) {
	for date, kept := range map[string]bool{
		time.Now().UTC().Format(http.TimeFormat):                   true,
		time.Now().AddDate(20, 0, 0).UTC().Format(http.TimeFormat): false,
	} {
		g := gateOver(t, answered{date})
		req, err := http.NewRequestWithContext(signedBy(t, "AKID"), http.MethodGet, g.endpoint.String(), nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKID/20261125/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=0")
		resp, err := g.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Date") != ""; got != kept {
			t.Errorf("%s: kept %v", date, got)
		}
	}
}

// A dialer of the owner's that heeds no context does not hold a question.
func TestOwnersDialerThatHeedsNoContext(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	var faults refusal.Faults
	client, _ := newClient(&http.Client{Transport: &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		<-release
		return nil, net.ErrClosed
	}}}, false, 400*time.Millisecond, &faults)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://bedrock.us-east-1.amazonaws.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	resp, err := client.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, securebedrock.ErrConnectTimeout) || time.Since(start) > 5*time.Second {
		t.Errorf("after %v: %v", time.Since(start), err)
	}
}
