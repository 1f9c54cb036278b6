package bedrocktest

import (
	"fmt"
	"net"
	"strconv"
	"time"
)

// Option changes what Start and NewServer start.
type Option func(*settings)

type settings struct {
	region          string
	addr            string
	plainHTTP       bool
	http1           bool
	sessionLifetime time.Duration
	models          []string
}

// WithRegion sets the region that the server says it is in, and in whose scope
// requests must be signed. The default is us-east-1.
func WithRegion(region string) Option { return func(s *settings) { s.region = region } }

// WithHTTP1 keeps the server from offering HTTP/2.
// InvokeModelWithBidirectionalStream needs HTTP/2.
func WithHTTP1() Option { return func(s *settings) { s.http1 = true } }

// WithPlainHTTP serves http instead of https: HTTP/1.1 and, unless WithHTTP1
// is given too, unencrypted HTTP/2 for clients that speak it without asking,
// as the JavaScript SDK does.
func WithPlainHTTP() Option { return func(s *settings) { s.plainHTTP = true } }

// WithAddr sets the address to listen on. Its host must be a loopback address
// or localhost; the server answers no other machine. The default is
// 127.0.0.1:0, a free port.
func WithAddr(addr string) Option { return func(s *settings) { s.addr = addr } }

// WithSessionLifetime makes every session of the server's STS expire after d,
// whatever DurationSeconds asks for, so that a test need not wait for the 15
// minutes that are STS's least. The default is what the request asks for.
func WithSessionLifetime(d time.Duration) Option {
	return func(s *settings) { s.sessionLifetime = d }
}

// WithModels adds models to those that the server knows: whole identifiers, as
// a client writes them, or foundation model IDs, which inference profiles and
// ARNs of the model then have too.
//
// The server knows a model by its name's parts: a provider of Bedrock's, a
// family of the provider's and the words that its models are named with. So a
// new version of a known family needs no option, a new family or a made-up name
// does, and a misspelt name ("anthropic.claude-3-sonet-20240229-v1:0") is
// refused as Bedrock refuses it. Whether the region has the model is not known.
func WithModels(ids ...string) Option {
	return func(s *settings) { s.models = append(s.models, ids...) }
}

func newSettings(opts []Option) (settings, error) {
	s := settings{region: "us-east-1", addr: "127.0.0.1:0"}
	for _, opt := range opts {
		opt(&s)
	}
	if s.region == "" {
		return s, fmt.Errorf("bedrocktest: the region is empty")
	}
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return s, fmt.Errorf("bedrocktest: address: %w", err)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return s, fmt.Errorf("bedrocktest: address %q: the port is no number", s.addr)
	}
	// Dialing localhost could mean ::1 where only 127.0.0.1 listens.
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return s, fmt.Errorf("bedrocktest: address %q is not on loopback", s.addr)
	}
	s.addr = net.JoinHostPort(host, port)
	return s, nil
}
