package bedrocktest

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"

	"github.com/securebedrock/securebedrock-go/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/family"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/guardrail"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/keyring"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/testmodel"
)

// Server is a Bedrock Runtime and an STS on one loopback address. Many goroutines may
// call its methods, also while requests are being served.
type Server struct {
	settings settings
	url      string
	certPEM  []byte
	client   *awshttp.BuildableClient
	http     *http.Server

	closing  chan struct{} // closed when Close begins; stalled handlers wait for it
	serving  sync.WaitGroup
	handlers handlerCount
	conns    connections

	keys       *keyring.Keyring
	calls      recorder
	faults     faultScript
	complaints complaints
	guardrails *guardrail.Registry
	async      *asyncInvokes
	model      testmodel.Model
	profiles   family.Profiles
}

// NewServer starts a server for the test tb, and closes the server when tb ends. It
// fails tb if it cannot start one. A Reply at fault fails tb, too.
func NewServer(tb testing.TB, opts ...Option) *Server {
	tb.Helper()
	s, err := Start(opts...)
	if err != nil {
		tb.Fatal(err)
	}
	s.complaints.tb = tb
	tb.Cleanup(s.Close)
	return s
}

// Start starts a server for a program, which must Close it.
func Start(opts ...Option) (*Server, error) {
	set, err := newSettings(opts)
	if err != nil {
		return nil, err
	}
	s := &Server{
		settings:   set,
		closing:    make(chan struct{}),
		keys:       keyring.New(set.sessionLifetime),
		guardrails: guardrail.NewRegistry(set.region),
		async:      &asyncInvokes{region: set.region},
	}
	s.handlers.idle = sync.NewCond(&s.handlers.mu)
	s.conns.none = sync.NewCond(&s.conns.mu)
	s.guardrails.Add(defaultGuardrail().definition())

	listener, err := net.Listen("tcp", set.addr)
	if err != nil {
		return nil, fmt.Errorf("bedrocktest: %w", err)
	}
	s.http = &http.Server{
		Handler:   s.handler(),
		ConnState: s.conns.observe,
		// The test decides what a client does to its connections, so errors are not
		// logged.
		ErrorLog:  log.New(io.Discard, "", 0),
		Protocols: new(http.Protocols),
	}
	s.http.Protocols.SetHTTP1(true)

	var pool *x509.CertPool
	if set.plainHTTP {
		s.url = "http://" + listener.Addr().String()
		s.http.Protocols.SetUnencryptedHTTP2(!set.http1)
	} else {
		cert, certPool, der, err := newCertificate()
		if err != nil {
			return nil, errors.Join(err, listener.Close())
		}
		pool = certPool
		s.url = "https://" + listener.Addr().String()
		s.certPEM = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
		s.http.Protocols.SetHTTP2(!set.http1)
		s.http.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	}
	s.client = awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) {
		t.Proxy = nil
		if pool != nil {
			t.TLSClientConfig.RootCAs = pool
		}
	})

	s.serving.Go(func() {
		// Both return http.ErrServerClosed after Close.
		if set.plainHTTP {
			_ = s.http.Serve(listener)
		} else {
			_ = s.http.ServeTLS(listener, "", "")
		}
	})
	return s, nil
}

// handler returns the handler of the server's requests. It admits none once Close has
// begun.
func (s *Server) handler() http.Handler {
	ops := &operations{
		keys:  s.keys,
		calls: &s.calls,
		chats: &chats{guardrails: s.guardrails, model: &s.model, profiles: &s.profiles},
		async: s.async,
	}
	requests := &pipeline{
		route:      ops.route,
		check:      newChecker(s.settings.models),
		verifier:   sigv4.Verifier{Find: s.keys.Find, Region: s.settings.region},
		calls:      &s.calls,
		faults:     &s.faults,
		complaints: &s.complaints,
		closing:    s.closing,
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !s.handlers.enter() {
			abort()
		}
		defer s.handlers.leave()
		requests.ServeHTTP(w, r)
	})
}

// Close ends the server. It releases the handlers that a fault holds, closes the
// connections, and returns when all of them and every goroutine of the server have
// ended. Closing twice is harmless.
func (s *Server) Close() {
	if s.handlers.close() {
		close(s.closing)
	}
	// An error in closing changes nothing here. The second call closes a connection
	// that was accepted during the first.
	_ = s.http.Close()
	s.serving.Wait()
	_ = s.http.Close()
	s.handlers.wait()
	s.conns.wait()
}

// URL returns the server's address: https://127.0.0.1:port, or http with
// WithPlainHTTP.
func (s *Server) URL() string { return s.url }

// Region returns the server's region.
func (s *Server) Region() string { return s.settings.region }

// CertificatePEM returns the server's self-signed certificate, for clients that Config
// does not configure (AWS_CA_BUNDLE, NODE_EXTRA_CA_CERTS). It is nil with
// WithPlainHTTP.
func (s *Server) CertificatePEM() []byte { return append([]byte(nil), s.certPEM...) }

// Credentials returns the long-term test credentials. Apart from the sessions of its
// own STS, the server knows no others.
func (s *Server) Credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: keyring.AccessKeyID, SecretAccessKey: keyring.SecretAccessKey, Source: "bedrocktest"}
}

// Config returns a configuration for any client of the SDK: region, test credentials,
// the server's address, and an HTTP client that trusts the server's certificate. All
// configurations share that HTTP client. An API option keeps request bodies clear of a
// flaw of the SDK that shows over HTTP/1.1 when a server answers as fast as this one.
func (s *Server) Config() aws.Config {
	return aws.Config{
		Region:       s.settings.region,
		Credentials:  credentials.StaticCredentialsProvider{Value: s.Credentials()},
		HTTPClient:   s.client,
		BaseEndpoint: aws.String(s.url),
		APIOptions:   []func(*middleware.Stack) error{addPlainBody},
	}
}

// Options returns options of securebedrock for this server: its region, its address,
// its default guardrail, a role that its STS lets be assumed, and a short
// Retry.MaxBackoff, so that a test of throttling need not wait for seconds.
func (s *Server) Options() securebedrock.Options {
	return securebedrock.Options{
		Region:    s.settings.region,
		Endpoint:  securebedrock.Endpoint{URL: s.url},
		Guardrail: securebedrock.Guardrail{ID: DefaultGuardrailID, Version: "1"},
		Retry:     securebedrock.Retry{MaxBackoff: 10 * time.Millisecond},
		Role: &securebedrock.Role{
			ARN: "arn:aws:iam::" + ids.Account + ":role/bedrocktest",
			STS: sts.NewFromConfig(s.Config()),
		},
	}
}

// Connections returns the number of open client connections.
func (s *Server) Connections() int { return s.conns.count() }
