package session

import (
	"context"
	"net"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// Place is the region whose STS is asked, and the variant of its host.
type Place struct {
	Region          string
	FIPS, DualStack bool
}

// stsHost is the region's own, by the SDK's rules.
func stsHost(p Place) (string, error) {
	resolved, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), sts.EndpointParameters{
		Region: &p.Region, UseFIPS: &p.FIPS, UseDualStack: &p.DualStack, UseGlobalEndpoint: aws.Bool(false),
	})
	if err != nil {
		return "", refusal.Fault("Region", "STS has no endpoint in %s: %w", p.Region, err)
	}
	return resolved.URI.Host, nil
}

// serviceHost is the host of an operation's service. STS is asked at place. The other
// services are asked in region, which the profile's sso_region names. The SDK's
// modules of SSO, OIDC and Signin are no requirements of this one, so their hosts are
// made of the partition's suffix, which STS's rules tell. TestCredentialHostsAreTheSDKs
// compares the hosts with what the SDK itself asks.
func serviceHost(op string, place Place, region string) (string, error) {
	if op == opAssumeRole || op == opWebIdentity {
		return stsHost(place)
	}
	if !regions.Valid(region) {
		return "", refuse(op, refusal.Endpoint, "%s is not the name of a region; correct sso_region in the profile", refusal.Quoted(region))
	}
	sts, err := stsHost(Place{Region: region})
	if err != nil {
		return "", err
	}
	suffix, ok := strings.CutPrefix(sts, "sts."+region+".")
	switch {
	case !ok:
	case op == opGetRoleCredentials:
		return "portal.sso." + region + "." + suffix, nil
	case op == opCreateToken:
		return "oidc." + region + "." + suffix, nil
	case op == opCreateOAuth2Token && signinSuffix(regions.PartitionOf(region)) != "":
		return region + "." + signinSuffix(regions.PartitionOf(region)), nil
	}
	return "", refuse(op, refusal.Endpoint, "no host of the service is known in %s; use credentials that need another service", region)
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
