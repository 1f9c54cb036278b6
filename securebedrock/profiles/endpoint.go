package profiles

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/service/bedrock"
	"github.com/aws/aws-sdk-go-v2/service/bedrockagent"
	"github.com/aws/smithy-go"
	smithyauth "github.com/aws/smithy-go/auth"
	smithyendpoints "github.com/aws/smithy-go/endpoints"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// signingName is the service name in SigV4 of the control plane and of
// bedrock-agent, the same as Bedrock Runtime's.
const signingName = "bedrock"

// pinnedEndpoint answers the SDK's question for an endpoint whatever the
// parameters say.
type pinnedEndpoint struct{ endpoint smithyendpoints.Endpoint }

// service is one of the two that are asked.
type service struct {
	name string // of its hosts
	host func(region string, e securebedrock.Endpoint) (smithyendpoints.Endpoint, error)
}

func controlPlane() service {
	return service{"bedrock", func(region string, e securebedrock.Endpoint) (smithyendpoints.Endpoint, error) {
		return bedrock.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), bedrock.EndpointParameters{
			Region: &region, UseFIPS: &e.FIPS, UseDualStack: &e.DualStack,
		})
	}}
}

func agents() service {
	return service{"bedrock-agent", func(region string, e securebedrock.Endpoint) (smithyendpoints.Endpoint, error) {
		return bedrockagent.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), bedrockagent.EndpointParameters{
			Region: &region, UseFIPS: &e.FIPS, UseDualStack: &e.DualStack,
		})
	}}
}

// newEndpoint computes the endpoint once, from Options and nothing else. The host
// of a region comes from the SDK's own rules, which know the partitions.
func newEndpoint(field string, of service, region string, e securebedrock.Endpoint) (pinnedEndpoint, error) {
	fault := func(format string, args ...any) (pinnedEndpoint, error) {
		return pinnedEndpoint{}, fmt.Errorf("%w: profiles: %s: "+format, append([]any{securebedrock.ErrConfig, field}, args...)...)
	}
	var u url.URL
	if e.URL == "" {
		resolved, err := of.host(region, e)
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
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return fault("URL %s is plain http, which is refused but on a loopback address; use https", u.Redacted())
	case u.Scheme != "https" && u.Scheme != "http":
		return fault("URL's scheme is %q; use https", u.Scheme)
	}
	if strings.ContainsFunc(u.Hostname(), func(r rune) bool { return r > unicode.MaxASCII }) {
		return fault("URL's host is not ASCII; write the name in its ASCII form")
	}
	if why := regions.HostFault(u.Hostname(), region, of.name); why != "" {
		return fault("URL %s %s", u.Redacted(), why)
	}
	p := pinnedEndpoint{smithyendpoints.Endpoint{URI: url.URL{
		Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(u.Path, "/"), RawPath: strings.TrimSuffix(u.RawPath, "/"),
	}}}
	smithyauth.SetAuthOptions(&p.endpoint.Properties, sigV4(region))
	return p, nil
}

// isLoopback accepts addresses and the one name that RFC 6761 reserves.
func isLoopback(host string) bool {
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return strings.EqualFold(host, "localhost")
}

// ResolveEndpoint implements bedrock.EndpointResolverV2.
func (p pinnedEndpoint) ResolveEndpoint(context.Context, bedrock.EndpointParameters) (smithyendpoints.Endpoint, error) {
	return p.endpoint, nil
}

// agentPinned is pinnedEndpoint for the other service.
type agentPinned struct{ pinnedEndpoint }

// ResolveEndpoint implements bedrockagent.EndpointResolverV2.
func (p agentPinned) ResolveEndpoint(context.Context, bedrockagent.EndpointParameters) (smithyendpoints.Endpoint, error) {
	return p.endpoint, nil
}

// agentSigV4Only is sigV4Only for the other service.
type agentSigV4Only struct{ region string }

// ResolveAuthSchemes implements bedrockagent.AuthSchemeResolver.
func (s agentSigV4Only) ResolveAuthSchemes(context.Context, *bedrockagent.AuthResolverParameters) ([]*smithyauth.Option, error) {
	return sigV4(s.region), nil
}

// sigV4Only offers the SDK one way to authenticate, and no anonymous one.
type sigV4Only struct{ region string }

// ResolveAuthSchemes implements bedrock.AuthSchemeResolver.
func (s sigV4Only) ResolveAuthSchemes(context.Context, *bedrock.AuthResolverParameters) ([]*smithyauth.Option, error) {
	return sigV4(s.region), nil
}

func sigV4(region string) []*smithyauth.Option {
	var props smithy.Properties
	smithyhttp.SetSigV4SigningName(&props, signingName)
	smithyhttp.SetSigV4SigningRegion(&props, region)
	return []*smithyauth.Option{{SchemeID: smithyauth.SchemeIDSigV4, SignerProperties: props}}
}

// isPlain reports whether an endpoint's URL is plain http.
func isPlain(e securebedrock.Endpoint) bool {
	u, err := url.Parse(e.URL)
	return err == nil && strings.EqualFold(u.Scheme, "http")
}
