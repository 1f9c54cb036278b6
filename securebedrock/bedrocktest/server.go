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

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/family"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/guardrail"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/ids"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/sigv4"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/testmodel"
)

// Server is a Bedrock Runtime and an STS on one loopback address. All methods
// may be called by many goroutines, while requests are being served too.
type Server struct {
	settings settings
	url      string
	certPEM  []byte
	client   *awshttp.BuildableClient
	http     *http.Server

	closing  chan struct{} // closed when Close begins: stalled handlers watch it
	serving  sync.WaitGroup
	handlers handlerCount
	conns    connections

	keys       *sigv4.Keyring
	calls      recorder
	faults     faultScript
	complaints complaints
	guardrails *guardrail.Registry
	async      *asyncInvokes
	model      testmodel.Model
	profiles   family.Profiles
}

// NewServer starts a server for the test tb, fails tb if it cannot, and closes
// the server when tb ends. A Reply that is at fault fails tb.
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
		keys:       sigv4.NewKeyring(set.sessionLifetime),
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
		// What a client does to its connections is the test's business.
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
		// Either returns http.ErrServerClosed, after Close.
		if set.plainHTTP {
			_ = s.http.Serve(listener)
		} else {
			_ = s.http.ServeTLS(listener, "", "")
		}
	})
	return s, nil
}

// handler answers the server's requests. None is admitted once Close has begun.
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
		verifier:   sigv4.Verifier{Keys: s.keys, Region: s.settings.region},
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

// Close ends the server. Handlers that a fault holds are released, connections
// are closed, and Close returns when all of them and every goroutine of the
// server are gone. Closing twice is harmless.
func (s *Server) Close() {
	if s.handlers.close() {
		close(s.closing)
	}
	// There is nothing to do about an error in closing. The second time is for
	// a connection that was accepted while the first went on.
	_ = s.http.Close()
	s.serving.Wait()
	_ = s.http.Close()
	s.handlers.wait()
	s.conns.wait()
}

// URL is where the server listens: https://127.0.0.1:port, or http with
// WithPlainHTTP.
func (s *Server) URL() string { return s.url }

// Region is the region that the server says it is in.
func (s *Server) Region() string { return s.settings.region }

// CertificatePEM is the server's self-signed certificate, for clients that
// Config does not configure (AWS_CA_BUNDLE, NODE_EXTRA_CA_CERTS). It is nil
// with WithPlainHTTP.
func (s *Server) CertificatePEM() []byte { return append([]byte(nil), s.certPEM...) }

// Credentials are the long-term test credentials, the only ones that the
// server knows apart from the sessions of its own STS.
func (s *Server) Credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: sigv4.AccessKeyID, SecretAccessKey: sigv4.SecretAccessKey, Source: "bedrocktest"}
}

// Config configures any client of the SDK for this server: region, test
// credentials, an HTTP client that trusts the server's certificate, and the
// server's address. The HTTP client is shared by all that Config returns. An
// API option keeps request bodies clear of a flaw of the SDK that shows over
// HTTP/1.1 when a server answers as fast as this one.
func (s *Server) Config() aws.Config {
	return aws.Config{
		Region:       s.settings.region,
		Credentials:  credentials.StaticCredentialsProvider{Value: s.Credentials()},
		HTTPClient:   s.client,
		BaseEndpoint: aws.String(s.url),
		APIOptions:   []func(*middleware.Stack) error{addPlainBody},
	}
}

// Options are options of securebedrock that suit this server: its region, its
// address, its default guardrail, a role that its STS lets be assumed, and a short
// Retry.MaxBackoff, so that a test of a throttle need not wait for seconds.
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

// Connections counts the client connections that are open now.
func (s *Server) Connections() int { return s.conns.count() }
