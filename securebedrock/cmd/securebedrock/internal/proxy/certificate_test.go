package proxy

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

// writePair writes a certificate of a serial number for 127.0.0.1.
func writePair(t *testing.T, dir string, serial int64) (chain, key string, roots *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	about := &x509.Certificate{SerialNumber: big.NewInt(serial), DNSNames: []string{"bedrock.internal"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &private.PublicKey, private)
	must(t, err)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	chain, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	must(t, os.WriteFile(chain, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600))
	roots = x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	roots.AddCert(parsed)
	return chain, key, roots
}

// TestCertificateIsRenewed changes the files under a certificate.
func TestCertificateIsRenewed(t *testing.T) {
	dir := t.TempDir()
	var log bytes.Buffer
	chain, key, _ := writePair(t, dir, 1)
	c, err := loadCertificate(chain, key, slog.New(slog.NewTextHandler(&log, nil)))
	must(t, err)
	serial := func() int64 {
		c.looked = time.Time{} // as if a second had passed
		pair, err := c.get(nil)
		must(t, err)
		return pair.Leaf.SerialNumber.Int64()
	}
	if got := serial(); got != 1 || log.Len() > 0 {
		t.Errorf("the certificate is %d: %s", got, &log)
	}
	must(t, os.WriteFile(key, []byte("half a key"), 0o600))
	if got := serial(); got != 1 || !strings.Contains(log.String(), "the former one goes on") {
		t.Errorf("a key that is being written: certificate %d: %s", got, &log)
	}
	if strings.Contains(log.String(), "half a key") {
		t.Error("the key is in the log")
	}
	must(t, os.Remove(chain))
	if got := serial(); got != 1 {
		t.Errorf("a chain that is gone: certificate %d", got)
	}
	writePair(t, dir, 2)
	if got := serial(); got != 2 {
		t.Errorf("the renewed certificate: %d", got)
	}
	if _, err := loadCertificate(chain, key+"x", nil); err == nil || !strings.Contains(err.Error(), "proxy.tls") {
		t.Errorf("a key that is missing: %v", err)
	}
}

// TestProtocols serves each protocol that a client of Bedrock may speak, and no old TLS.
func TestProtocols(t *testing.T) {
	chain, key, roots := writePair(t, t.TempDir(), 1)
	cert, err := loadCertificate(chain, key, nil)
	must(t, err)
	tell := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) })
	for _, row := range []struct {
		what, want string
		cert       *certificate
		configure  func(*http.Transport)
	}{
		{"HTTP/1.1", "HTTP/1.1", nil, func(tr *http.Transport) {}},
		{"unencrypted HTTP/2", "HTTP/2.0", nil, func(tr *http.Transport) {
			tr.Protocols = &http.Protocols{}
			tr.Protocols.SetUnencryptedHTTP2(true)
		}},
		{"HTTP/1.1 over TLS", "HTTP/1.1", cert, func(tr *http.Transport) {
			tr.Protocols = &http.Protocols{}
			tr.Protocols.SetHTTP1(true)
		}},
		{"HTTP/2 over TLS", "HTTP/2.0", cert, func(tr *http.Transport) { tr.ForceAttemptHTTP2 = true }},
		{"TLS 1.1", "protocol version", cert, func(tr *http.Transport) {
			tr.TLSClientConfig.MinVersion, tr.TLSClientConfig.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
		}},
	} {
		t.Run(row.what, func(t *testing.T) {
			p := newPlan(Settings{File: configfile.File{Proxy: &configfile.Proxy{Listen: "127.0.0.1:0"}}})
			l, err := listen(t.Context(), p)
			must(t, err)
			s := newServer(tell, row.cert, slog.New(slog.DiscardHandler))
			served := make(chan error, 1)
			go func() { served <- serve(s, l, row.cert != nil) }()
			tr := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "bedrock.internal"}}
			row.configure(tr)
			scheme := "http://"
			if row.cert != nil {
				scheme = "https://"
			}
			var got string
			res, err := (&http.Client{Transport: tr}).Get(scheme + l.Addr().String())
			if err != nil {
				got = err.Error()
			} else {
				body, err := io.ReadAll(res.Body)
				must(t, err)
				must(t, res.Body.Close())
				got = string(body)
			}
			if !strings.Contains(got, row.want) {
				t.Errorf("got %s", got)
			}
			tr.CloseIdleConnections()
			must(t, s.Close())
			must(t, <-served)
		})
	}
}
