package pinned

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/smithy-go"
	smithyauth "github.com/aws/smithy-go/auth"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// SigV4 offers the SDK one way to authenticate, and no anonymous one: SigV4 for a
// service in a region. SigV4[bedrockruntime.AuthResolverParameters] is a
// bedrockruntime.AuthSchemeResolver.
type SigV4[P any] struct {
	service, region string
	shared          []*smithyauth.Option
	mayShare        func(context.Context) bool
}

// NewSigV4 returns a SigV4. The options that the SDK is given are made for each call,
// but where mayShare says that nothing of the application's can write into them, which
// saves making them. mayShare may be nil.
func NewSigV4[P any](service, region string, mayShare func(context.Context) bool) *SigV4[P] {
	return &SigV4[P]{service, region, sigV4Options(service, region), mayShare}
}

// ResolveAuthSchemes implements the AuthSchemeResolver of the service whose parameters
// are P.
func (s *SigV4[P]) ResolveAuthSchemes(ctx context.Context, _ *P) ([]*smithyauth.Option, error) {
	if s.mayShare != nil && s.mayShare(ctx) {
		return s.shared, nil
	}
	return sigV4Options(s.service, s.region), nil
}

func sigV4Options(service, region string) []*smithyauth.Option {
	var props smithy.Properties
	smithyhttp.SetSigV4SigningName(&props, service)
	smithyhttp.SetSigV4SigningRegion(&props, region)
	return []*smithyauth.Option{{SchemeID: smithyauth.SchemeIDSigV4, SignerProperties: props}}
}

// Signature is what a request's signature must say.
type Signature struct {
	AccessKey string // that the configured credentials gave for this attempt
	Token     string // their session token; empty where they have none
	Region    string
	Service   string
}

// Check demands that the headers carry that signature and no other.
func (want *Signature) Check(h http.Header) error {
	values := h["Authorization"]
	if len(values) != 1 {
		return refusal.New(refusal.Auth, "the request is not signed with SigV4")
	}
	scope, ok := strings.CutPrefix(values[0], "AWS4-HMAC-SHA256 Credential=")
	if !ok {
		return refusal.New(refusal.Auth, "the request is not signed with SigV4")
	}
	token := ""
	if values := h["X-Amz-Security-Token"]; len(values) > 0 {
		token = values[0]
	}
	if token != want.Token {
		return refusal.New(refusal.Auth, "the request carries another session token than the configured credentials gave")
	}
	// Credential=KEY/DATE/REGION/SERVICE/aws4_request, SignedHeaders=…
	scope, _, _ = strings.Cut(scope, ",")
	key, scope, _ := strings.Cut(scope, "/")
	_, scope, _ = strings.Cut(scope, "/") // the date
	region, scope, _ := strings.Cut(scope, "/")
	service, scope, _ := strings.Cut(scope, "/")
	switch {
	case scope != "aws4_request":
		return refusal.New(refusal.Auth, "the signature's scope is malformed")
	case key != want.AccessKey || key == "":
		return refusal.New(refusal.Auth, "the request is signed with another key than the configured credentials gave")
	case region != want.Region:
		return refusal.New(refusal.Region, fmt.Sprintf("the request is signed for %s and Options.Region is %s", region, want.Region))
	case service != want.Service:
		return refusal.New(refusal.Auth, fmt.Sprintf("the request is signed for service %q and not for %q", service, want.Service))
	}
	return nil
}
