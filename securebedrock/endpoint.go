package securebedrock

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/smithy-go"
	smithyauth "github.com/aws/smithy-go/auth"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// pinnedEndpoint is where every call goes. It answers the SDK's question for an
// endpoint whatever the parameters say.
type pinnedEndpoint struct {
	scheme, host, path, rawPath string

	endpoint smithyendpoints.Endpoint
}

// newEndpoint computes the endpoint once, from the Options and nothing else. The
// host of a region comes from the SDK's own rules, which know the partitions.
func newEndpoint(region string, e Endpoint) (pinnedEndpoint, error) {
	fault := func(format string, args ...any) (pinnedEndpoint, error) {
		return pinnedEndpoint{}, fmt.Errorf("%w: Endpoint: "+format, append([]any{ErrConfig}, args...)...)
	}
	var u url.URL
	if e.URL == "" {
		resolved, err := bedrockruntime.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), bedrockruntime.EndpointParameters{
			Region: &region, UseFIPS: &e.FIPS, UseDualStack: &e.DualStack,
		})
		if err != nil {
			return fault("%w", err)
		}
		u = resolved.URI
	} else {
		if e.FIPS || e.DualStack {
			return fault("URL excludes FIPS and DualStack; name the FIPS or dual-stack host in URL itself")
		}
		parsed, err := url.Parse(e.URL)
		if err != nil {
			return fault("URL is not a URL") // the text could hold a password
		}
		u = *parsed
	}
	switch {
	case u.User != nil:
		return fault("URL must not carry user information")
	case u.RawQuery != "" || u.Fragment != "":
		return fault("URL must not carry a query or a fragment")
	case u.Hostname() == "":
		return fault("URL names no host")
	case strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r > unicode.MaxASCII }):
		// net/http rewrites such a name (a full-width dot becomes a dot), so what
		// is checked here would not be what is dialled.
		return fault("URL's host is not ASCII; write the name in its ASCII form")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return fault("URL %s is plain http, which is refused but on a loopback address; use https", u.Redacted())
	case u.Scheme != "https" && u.Scheme != "http":
		return fault("URL's scheme is %q; use https", u.Scheme)
	}
	if why := regions.HostFault(u.Hostname(), region, "bedrock-runtime"); why != "" {
		return fault("URL %s %s", u.Redacted(), why)
	}
	p := pinnedEndpoint{scheme: u.Scheme, host: u.Host, path: strings.TrimSuffix(u.Path, "/"), rawPath: strings.TrimSuffix(u.RawPath, "/")}
	p.endpoint.URI = url.URL{Scheme: p.scheme, Host: p.host, Path: p.path, RawPath: p.rawPath}
	return p, nil
}

// isLoopback accepts addresses and the one name that RFC 6761 reserves.
func isLoopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// join is smithyhttp.JoinPath, which copies even where there is nothing to join.
func join(base, path string) string {
	if base == "" && strings.HasPrefix(path, "/") {
		return path
	}
	return smithyhttp.JoinPath(base, path)
}

// joinRaw is what the SDK makes of a raw path on this endpoint.
func (p *pinnedEndpoint) joinRaw(raw string) string {
	base := p.rawPath
	if base == "" && raw != "" {
		base = p.path
	}
	return join(base, raw)
}

// ResolveEndpoint implements bedrockruntime.EndpointResolverV2.
func (p *pinnedEndpoint) ResolveEndpoint(context.Context, bedrockruntime.EndpointParameters) (smithyendpoints.Endpoint, error) {
	return p.endpoint, nil
}

// sigV4Only offers the SDK one way to authenticate, and no anonymous one. Calls
// without steps or options of the application's share it. In others the SDK can write
// into it (what a step or an endpoint says about signing), and so can the application.
type sigV4Only []*smithyauth.Option

// ResolveAuthSchemes implements bedrockruntime.AuthSchemeResolver.
func (s *sigV4Only) ResolveAuthSchemes(ctx context.Context, _ *bedrockruntime.AuthResolverParameters) ([]*smithyauth.Option, error) {
	if ex := exchangeOf(ctx); ex != nil && !ex.result.done.entry.watched {
		return *s, nil
	}
	own := make([]*smithyauth.Option, len(*s))
	for i, shared := range *s {
		own[i] = &smithyauth.Option{SchemeID: shared.SchemeID}
		own[i].SignerProperties.SetAll(&shared.SignerProperties)
	}
	return own, nil
}

func sigV4For(service, region string) []*smithyauth.Option {
	var props smithy.Properties
	smithyhttp.SetSigV4SigningName(&props, service)
	smithyhttp.SetSigV4SigningRegion(&props, region)
	return []*smithyauth.Option{{SchemeID: smithyauth.SchemeIDSigV4, SignerProperties: props}}
}
