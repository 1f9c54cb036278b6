package bedrocktest

import (
	"fmt"
	"net"
	"strconv"
	"time"
)

// Option changes how Start and NewServer start a server.
type Option func(*settings)

type settings struct {
	region          string
	addr            string
	plainHTTP       bool
	http1           bool
	sessionLifetime time.Duration
	models          []string
}

// WithRegion sets the server's region. Requests must be signed for it. The default is
// us-east-1.
func WithRegion(region string) Option { return func(s *settings) { s.region = region } }

// WithHTTP1 turns HTTP/2 off. InvokeModelWithBidirectionalStream needs HTTP/2.
func WithHTTP1() Option { return func(s *settings) { s.http1 = true } }

// WithPlainHTTP serves http in the place of https: HTTP/1.1, and unencrypted HTTP/2
// with prior knowledge, which the JavaScript SDK uses. WithHTTP1 turns the latter off.
func WithPlainHTTP() Option { return func(s *settings) { s.plainHTTP = true } }

// WithAddr sets the address to listen on. Its host must be a loopback address or
// localhost, since the server answers no other machine. The default is 127.0.0.1:0, a
// free port.
func WithAddr(addr string) Option { return func(s *settings) { s.addr = addr } }

// WithSessionLifetime makes every session of the server's STS expire after d, whatever
// DurationSeconds asks for. A test then need not wait for STS's minimum of 15 minutes.
// The default is the requested duration.
func WithSessionLifetime(d time.Duration) Option {
	return func(s *settings) { s.sessionLifetime = d }
}

// WithModels adds models to those that the server knows. An ID is a whole identifier,
// as a client writes it, or a foundation model ID. Inference profiles and ARNs of an
// added foundation model are known, too.
//
// The server knows a model by the parts of its name: a provider of Bedrock, a family
// of that provider, and the words in the names of its models. A new version of a known
// family needs no option. A new family or an invented name does. A misspelt name
// ("anthropic.claude-3-sonet-20240229-v1:0") is refused as Bedrock refuses it. The
// server does not know which models a region has.
func WithModels(ids ...string) Option {
	return func(s *settings) { s.models = append(s.models, ids...) }
}

func newSettings(opts []Option) (settings, error) {
	s := settings{region: "us-east-1", addr: "127.0.0.1:0"}
	for _, opt := range opts {
		opt(&s)
	}
	if s.region == "" {
		return s, fmt.Errorf("bedrocktest: WithRegion: the region is empty; use a region such as us-east-1")
	}
	host, port, err := net.SplitHostPort(s.addr)
	if err != nil {
		return s, fmt.Errorf("bedrocktest: WithAddr: %w; use host:port, such as 127.0.0.1:0", err)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return s, fmt.Errorf("bedrocktest: WithAddr: the port of %q is not a number; use 0 for a free port", s.addr)
	}
	// localhost can resolve to ::1 where only 127.0.0.1 listens.
	if host == "localhost" {
		host = "127.0.0.1"
	}
	if ip := net.ParseIP(host); ip == nil || !ip.IsLoopback() {
		return s, fmt.Errorf("bedrocktest: WithAddr: %q is not a loopback address; use 127.0.0.1, [::1] or localhost", s.addr)
	}
	s.addr = net.JoinHostPort(host, port)
	return s, nil
}
