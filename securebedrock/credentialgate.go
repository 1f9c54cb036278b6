package securebedrock

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

const (
	// maxCredentials bounds an answer that holds credentials, which has a few
	// thousand bytes.
	maxCredentials = 1 << 20
	// credentialsTimeout bounds one attempt to fetch credentials, its answer
	// included.
	credentialsTimeout = 30 * time.Second
)

// credentialGate is the way to the network for every client that fetches
// credentials: STS, IAM Identity Center (SSO and its OIDC), aws login, and the
// metadata of an instance or a container. Neither the environment nor a profile
// moves one of them. It stands in the stack of each, as the last step, and sends
// by itself.
type credentialGate struct {
	region   string         // Options.Region
	endpoint Endpoint       // FIPS and DualStack hold for STS
	do       aws.HTTPClient // the Client's own; nil until there is one
	instance aws.HTTPClient // for the instance's metadata
}

// useTransportOf gives the gate the transport of the client whose credentials it
// fetches, with the owner's certificate authorities and proxy.
func (g *credentialGate) useTransportOf(c *Client) {
	g.do, g.instance = c.doer, pinned.NewLocal(c.doer.Connections)
}

// install is an API option for any client of the SDK's credential chain.
func (g *credentialGate) install(stack *middleware.Stack) error {
	step := &credentialStep{g: g, op: stack.ID()}
	var err error
	if step.isService() {
		_, err = stack.Finalize.Swap("ResolveEndpointV2", (*credentialEndpoint)(step))
	}
	return errors.Join(err,
		stack.Initialize.Add((*credentialProof)(step), middleware.Before),
		stack.Deserialize.Add(step, middleware.After))
}

type credentialStep struct {
	g  *credentialGate
	op string
}

func (*credentialStep) ID() string { return "securebedrock:credentials" }

const (
	opAssumeRole         = "AssumeRole"
	opWebIdentity        = "AssumeRoleWithWebIdentity"
	opGetRoleCredentials = "GetRoleCredentials" // SSO
	opCreateToken        = "CreateToken"        // SSO OIDC
	opCreateOAuth2Token  = "CreateOAuth2Token"  // Signin
)

// isService tells a regional service from the metadata of an instance or a
// container.
func (s *credentialStep) isService() bool {
	switch s.op {
	case opAssumeRole, opWebIdentity, opGetRoleCredentials, opCreateToken, opCreateOAuth2Token:
		return true
	}
	return false
}

// host is the service's own in its region. The SDK's modules of SSO, OIDC and
// Signin are no requirements of this one, so their hosts are made of the
// partition's suffix, which STS's rules tell. TestCredentialHostsAreTheSDKs
// compares them with what the SDK itself asks.
func (s *credentialStep) host(ctx context.Context) (string, error) {
	if s.op == opAssumeRole || s.op == opWebIdentity {
		return stsHost(s.g.region, s.g.endpoint)
	}
	region := awsmiddleware.GetRegion(ctx) // of the profile's sso_region
	if !regions.Valid(region) {
		return "", refuse(ErrEndpoint, fmt.Sprintf("%s is not the name of a region; correct sso_region in the profile", refusal.Quoted(region)))
	}
	sts, err := stsHost(region, Endpoint{})
	if err != nil {
		return "", err
	}
	suffix, ok := strings.CutPrefix(sts, "sts."+region+".")
	switch {
	case !ok:
	case s.op == opGetRoleCredentials:
		return "portal.sso." + region + "." + suffix, nil
	case s.op == opCreateToken:
		return "oidc." + region + "." + suffix, nil
	case s.op == opCreateOAuth2Token && signinSuffix(regions.PartitionOf(region)) != "":
		return region + "." + signinSuffix(regions.PartitionOf(region)), nil
	}
	return "", refuse(ErrEndpoint, "no host is known for it in "+region)
}

// signinSuffix follows the endpoint rules of service/signin v1.12.3.
func signinSuffix(partition string) string {
	switch partition {
	case "aws":
		return "signin.aws.amazon.com"
	case "aws-us-gov":
		return "signin.amazonaws-us-gov.com"
	case "aws-cn":
		return "signin.amazonaws.cn"
	case "aws-eusc":
		return "signin.amazonaws-eusc.eu"
	case "aws-iso":
		return "signin.c2shome.ic.gov"
	case "aws-iso-b":
		return "signin.sc2shome.sgov.gov"
	case "aws-iso-e":
		return "signin.csphome.adc-e.uk"
	case "aws-iso-f":
		return "signin.csphome.hci.ic.gov"
	}
	return ""
}

// credentialEndpoint stands in the place of the service's endpoint step, which
// heeds AWS_ENDPOINT_URL_SSO and its like.
type credentialEndpoint credentialStep

func (*credentialEndpoint) ID() string { return "ResolveEndpointV2" }

func (e *credentialEndpoint) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, e.named(refuse(ErrEndpoint, fmt.Sprintf("the request is a %T", in.Request)))
	}
	host, err := (*credentialStep)(e).host(ctx)
	if err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, e.named(err)
	}
	req.URL.Scheme, req.URL.Host = "https", host
	return next.HandleFinalize(ctx, in)
}

func (e *credentialEndpoint) named(err error) error { return (*credentialStep)(e).named(err) }

func (s *credentialStep) named(err error) error {
	var p *PolicyError
	if errors.As(err, &p) {
		p.Operation = s.op
	}
	return err
}

// HandleDeserialize does not call the next handler, which would be the HTTP
// client of the configuration.
func (s *credentialStep) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, _ middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, metadata middleware.Metadata, err error,
) {
	// The metadata client wants a response even beside an error.
	out.RawResponse = &smithyhttp.Response{Response: &http.Response{Header: http.Header{}, Body: http.NoBody}}
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, s.named(refuse(ErrEndpoint, fmt.Sprintf("the request is a %T", in.Request)))
	}
	if err := s.inspect(ctx, req.URL, req.Host); err != nil {
		return out, metadata, s.named(err)
	}
	do := s.g.do
	if !s.isService() && s.op != opContainer {
		do = s.g.instance
	}
	if do == nil {
		return out, metadata, s.named(refuse(ErrConfig, "credentials were asked for before there is a client"))
	}
	bounded, cancel := context.WithTimeout(ctx, credentialsTimeout)
	defer cancel()
	raw, metadata, err := smithyhttp.NewClientHandlerWithOptions(do).Handle(bounded, req)
	resp, ok := raw.(*smithyhttp.Response)
	if !ok || err != nil {
		return out, metadata, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return out, metadata, s.named(refuse(ErrRedirect, fmt.Sprintf("%s answered %d; its Location is not followed", req.URL.Host, resp.StatusCode)))
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxCredentials+1))
	if err != nil {
		return out, metadata, &smithyhttp.RequestSendError{Err: err} // sent again, as a connection that broke before its answer
	}
	if len(body) > maxCredentials {
		return out, metadata, s.named(refuse(ErrAnswerSize, tooLong))
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	out.RawResponse = resp
	return out, metadata, nil
}

const tooLong = "an answer with credentials has more than 1048576 bytes"

// opContainer is the operation of credentials/endpointcreds.
const opContainer = "GetCredentials"

// inspect demands the service's own host over TLS, or for metadata a host that is
// this machine's.
func (s *credentialStep) inspect(ctx context.Context, u *url.URL, header string) error {
	if u.User != nil || u.Opaque != "" || header != "" && header != u.Host {
		return refuse(ErrEndpoint, "the URL carries user information or an opaque part, or the Host header names another host")
	}
	if s.isService() {
		switch want, err := s.host(ctx); {
		case err != nil:
			return err
		case u.Scheme != "https" || u.Host != want:
			return refuse(ErrEndpoint, fmt.Sprintf("credentials are asked for at https://%s and not at %s://%s", want, u.Scheme, u.Host))
		}
		return nil
	}
	if !isMetadataHost(u.Hostname()) {
		return refuse(ErrEndpoint, fmt.Sprintf("credentials of an instance or a container come from a loopback or link-local address of AWS and not from %s; take AWS_EC2_METADATA_SERVICE_ENDPOINT, ec2_metadata_service_endpoint or AWS_CONTAINER_CREDENTIALS_FULL_URI away, or pass a configuration with credentials of your own to NewFromConfig", refusal.Quoted(u.Host)))
	}
	return nil
}

// isMetadataHost accepts the addresses of the EC2, ECS and EKS services, which no
// router passes on (SDKs and Tools Reference Guide, "Container credential
// provider" and "IMDS credential provider"), and loopback, where the helpers of
// IAM Roles Anywhere and of development tools listen.
func isMetadataHost(host string) bool {
	if pinned.Loopback(host) {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && slices.Contains([]string{
		"169.254.169.254", "fd00:ec2::254", // EC2
		"169.254.170.2",                  // ECS
		"169.254.170.23", "fd00:ec2::23", // EKS Pod Identity
	}, ip.String())
}

// boundedSTS bounds what a client of the owner's reads as an answer.
func boundedSTS(stack *middleware.Stack) error {
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("securebedrock:bound", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (
		middleware.DeserializeOutput, middleware.Metadata, error,
	) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if resp, ok := out.RawResponse.(*smithyhttp.Response); ok && resp.Body != nil {
			resp.Body = &boundedCredentials{resp.Body, maxCredentials}
		}
		return out, metadata, err
	}), middleware.After)
}

type boundedCredentials struct {
	io.ReadCloser
	left int
}

func (b *boundedCredentials) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, &PolicyError{Rule: ErrAnswerSize, Operation: opAssumeRole, Detail: tooLong}
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
