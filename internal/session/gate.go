package session

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// requestTimeout bounds one attempt to fetch credentials, its answer included.
const requestTimeout = 30 * time.Second

// Gate is the way to the network for every client that fetches credentials: STS, IAM
// Identity Center (SSO and its OIDC), aws login, and the metadata of an instance or a
// container. Neither the environment nor a profile moves one of them. The gate stands
// in the stack of each, as the last step, and sends by itself.
type Gate struct {
	Place Place
	// Client sends to services and to containers. It is the guarded client's own,
	// with the owner's certificate authorities and proxy; nil until there is one.
	Client aws.HTTPClient
	Local  aws.HTTPClient // for the instance's metadata
}

// Install is an API option for any client of the SDK's credential chain.
func (g *Gate) Install(stack *middleware.Stack) error {
	step := &gateStep{g: g, op: stack.ID()}
	var err error
	if isService(step.op) {
		_, err = stack.Finalize.Swap(endpointStepID, (*endpointStep)(step))
	}
	return errors.Join(err,
		stack.Initialize.Add(proofStep{step.op}, middleware.Before),
		stack.Deserialize.Add(step, middleware.After))
}

type gateStep struct {
	g  *Gate
	op string
}

// host is the service's own in its region.
func (s *gateStep) host(ctx context.Context) (string, error) {
	return serviceHost(s.op, s.g.Place, awsmiddleware.GetRegion(ctx))
}

// endpointStep stands in the place of the service's endpoint step, which heeds
// AWS_ENDPOINT_URL_SSO and its like.
type endpointStep gateStep

const endpointStepID = "ResolveEndpointV2"

func (*endpointStep) ID() string { return endpointStepID }

func (e *endpointStep) HandleFinalize(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (
	middleware.FinalizeOutput, middleware.Metadata, error,
) {
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, notHTTP(e.op, in.Request)
	}
	host, err := (*gateStep)(e).host(ctx)
	if err != nil {
		return middleware.FinalizeOutput{}, middleware.Metadata{}, err
	}
	req.URL.Scheme, req.URL.Host = "https", host
	return next.HandleFinalize(ctx, in)
}

func notHTTP(op string, request any) error {
	return refuse(op, refusal.Endpoint, "the request is a %T and not the SDK's own; take the step out that replaced the request", request)
}

func (*gateStep) ID() string { return "securebedrock:credentials" }

// HandleDeserialize does not call the next handler, which would be the HTTP
// client of the configuration.
func (s *gateStep) HandleDeserialize(ctx context.Context, in middleware.DeserializeInput, _ middleware.DeserializeHandler) (
	out middleware.DeserializeOutput, metadata middleware.Metadata, err error,
) {
	// The metadata client wants a response even beside an error.
	out.RawResponse = &smithyhttp.Response{Response: &http.Response{Header: http.Header{}, Body: http.NoBody}}
	req, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return out, metadata, notHTTP(s.op, in.Request)
	}
	if err := s.inspect(ctx, req.URL, req.Host); err != nil {
		return out, metadata, err
	}
	do := s.g.Client
	if !isService(s.op) && s.op != opContainer {
		do = s.g.Local
	}
	if do == nil {
		return out, metadata, refuse(s.op, refusal.Config, "credentials were asked for before there is a client")
	}
	bounded, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	raw, metadata, err := smithyhttp.NewClientHandlerWithOptions(do).Handle(bounded, req)
	resp, ok := raw.(*smithyhttp.Response)
	if !ok || err != nil {
		return out, metadata, err
	}
	defer resp.Body.Close()
	if resp.StatusCode >= 300 && resp.StatusCode < 400 {
		return out, metadata, refuse(s.op, refusal.Redirect, "%s answered %d; its Location is not followed", req.URL.Host, resp.StatusCode)
	}
	body, err := io.ReadAll(boundedAnswer(s.op, resp.Body))
	if err != nil {
		if refused := (*refusal.Refusal)(nil); errors.As(err, &refused) {
			return out, metadata, err
		}
		return out, metadata, &smithyhttp.RequestSendError{Err: err} // sent again, as a connection that broke before its answer
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	out.RawResponse = resp
	return out, metadata, nil
}

// inspect demands the service's own host over TLS. Metadata may come from a host that
// is this machine's.
func (s *gateStep) inspect(ctx context.Context, u *url.URL, hostHeader string) error {
	if u.User != nil || u.Opaque != "" || hostHeader != "" && hostHeader != u.Host {
		return refuse(s.op, refusal.Endpoint, "the URL carries user information or an opaque part, or the Host header names another host")
	}
	if isService(s.op) {
		switch want, err := s.host(ctx); {
		case err != nil:
			return err
		case u.Scheme != "https" || u.Host != want:
			return refuse(s.op, refusal.Endpoint, "credentials are asked for at https://%s and not at %s://%s", want, u.Scheme, u.Host)
		}
		return nil
	}
	if !isMetadataHost(u.Hostname()) {
		return refuse(s.op, refusal.Endpoint, "credentials of an instance or a container come from a loopback or link-local address of AWS and not from %s; take AWS_EC2_METADATA_SERVICE_ENDPOINT, ec2_metadata_service_endpoint or AWS_CONTAINER_CREDENTIALS_FULL_URI away, or pass a configuration with credentials of your own to NewFromConfig", refusal.Quoted(u.Host))
	}
	return nil
}

// roundTheGate is the error of a request that arrives at an HTTP client in the SDK's
// options.
func roundTheGate(req *http.Request) error {
	return refuse(middleware.GetOperationName(req.Context()), refusal.Bypassed, "the request did not pass the gate; a step of the SDK's stack took the gate out")
}
