package pinned

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode"

	smithyendpoints "github.com/aws/smithy-go/endpoints"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// Service is an AWS service with an endpoint in each region.
type Service struct {
	Host string // the first label of its hosts, "bedrock-runtime"
	// Resolve asks the SDK's own rules, which know the partitions. It must read
	// nothing but its arguments.
	Resolve func(region string, fips, dualStack bool) (smithyendpoints.Endpoint, error)
}

// Place is what the owner says of an endpoint.
type Place struct {
	Region          string
	URL             string // empty: the region's public host
	FIPS, DualStack bool
}

// Endpoint is where every request of a client goes.
type Endpoint struct {
	Scheme, Host string

	path, rawPath string
}

// Endpoint computes the endpoint from place and nothing else. The error says what is
// wrong with place; the caller adds the field.
func (s Service) Endpoint(place Place) (Endpoint, error) {
	u, err := s.url(place)
	if err != nil {
		return Endpoint{}, err
	}
	switch {
	case u.User != nil:
		return Endpoint{}, errors.New("URL must not carry user information; take it out, since calls are signed with SigV4")
	case u.RawQuery != "" || u.Fragment != "":
		return Endpoint{}, errors.New("URL must not carry a query or a fragment; take it out")
	case u.Hostname() == "":
		return Endpoint{}, errors.New("URL names no host; use https://HOST")
	case strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r > unicode.MaxASCII }):
		// net/http rewrites such a name (a full-width dot becomes a dot), so what
		// is checked here would not be what is dialled.
		return Endpoint{}, errors.New("URL's host is not ASCII; write the name in its ASCII form")
	case u.Scheme == "http" && !Loopback(u.Hostname()):
		return Endpoint{}, fmt.Errorf("URL %s is plain http, which only a loopback address may use; use https", u.Redacted())
	case u.Scheme != "https" && u.Scheme != "http":
		return Endpoint{}, fmt.Errorf("URL's scheme is %q; use https", u.Scheme)
	}
	if why := regions.HostFault(u.Hostname(), place.Region, s.Host); why != "" {
		return Endpoint{}, fmt.Errorf("URL %s %s", u.Redacted(), why)
	}
	return Endpoint{Scheme: u.Scheme, Host: u.Host, path: strings.TrimSuffix(u.Path, "/"), rawPath: strings.TrimSuffix(u.RawPath, "/")}, nil
}

func (s Service) url(place Place) (*url.URL, error) {
	if place.URL == "" {
		resolved, err := s.Resolve(place.Region, place.FIPS, place.DualStack)
		return &resolved.URI, err
	}
	if place.FIPS || place.DualStack {
		return nil, errors.New("URL excludes FIPS and DualStack; name the FIPS or dual-stack host in URL itself")
	}
	u, err := url.Parse(place.URL)
	if err != nil {
		return nil, errors.New("URL cannot be parsed; use https://HOST") // the text could hold a password
	}
	return u, nil
}

// Plain reports whether a URL is plain http.
func Plain(s string) bool {
	u, err := url.Parse(s)
	return err == nil && strings.EqualFold(u.Scheme, "http")
}

// Loopback accepts loopback addresses and the one name that RFC 6761 reserves.
func Loopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// String returns the endpoint's URL.
func (e *Endpoint) String() string {
	u := e.uri()
	return u.String()
}

func (e *Endpoint) uri() url.URL {
	return url.URL{Scheme: e.Scheme, Host: e.Host, Path: e.path, RawPath: e.rawPath}
}

// Joined reports whether u has the path that the SDK makes of a path and a raw path
// on this endpoint.
func (e *Endpoint) Joined(u *url.URL, path, raw string) bool {
	base := e.rawPath
	if base == "" && raw != "" {
		base = e.path
	}
	return u.Path == joinPath(e.path, path) && u.RawPath == joinPath(base, raw)
}

// joinPath is smithyhttp.JoinPath, which copies even where there is nothing to join.
func joinPath(base, path string) string {
	if base == "" && strings.HasPrefix(path, "/") {
		return path
	}
	return smithyhttp.JoinPath(base, path)
}

// Check demands that a request goes to the endpoint.
func (e *Endpoint) Check(u *url.URL, hostHeader string) error {
	switch {
	case u.Scheme != e.Scheme:
		return refusal.New(refusal.Endpoint, fmt.Sprintf("the scheme is %q and the pinned one is %q", u.Scheme, e.Scheme))
	case u.Host != e.Host:
		return refusal.New(refusal.Endpoint, fmt.Sprintf("the host is %q and the pinned one is %q", u.Host, e.Host))
	case hostHeader != "" && hostHeader != e.Host:
		return refusal.New(refusal.Endpoint, fmt.Sprintf("the Host header is %q and the pinned one is %q", hostHeader, e.Host))
	case u.User != nil, u.Opaque != "":
		return refusal.New(refusal.Endpoint, "the URL carries user information or an opaque part")
	}
	return nil
}

// Resolver answers the SDK's question for an endpoint, whatever the parameters P say.
// Resolver[bedrockruntime.EndpointParameters] is a bedrockruntime.EndpointResolverV2.
type Resolver[P any] struct{ endpoint smithyendpoints.Endpoint }

// NewResolver returns a Resolver that always answers e.
func NewResolver[P any](e Endpoint) *Resolver[P] {
	return &Resolver[P]{smithyendpoints.Endpoint{URI: e.uri()}}
}

// ResolveEndpoint implements the EndpointResolverV2 of the service whose parameters
// are P.
func (r *Resolver[P]) ResolveEndpoint(context.Context, P) (smithyendpoints.Endpoint, error) {
	return r.endpoint, nil
}
