package securebedrock

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
	"github.com/securebedrock/securebedrock-go/internal/pinned"
	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// isGuarded reports whether options are those of a client that is guarded already. Any
// one of the guard's own parts tells.
func isGuarded(o bedrockruntime.Options) bool {
	if _, ok := o.Protocol.(*protocol); ok {
		return true
	}
	if _, ok := o.AuthSchemeResolver.(*guardedAuth); ok {
		return true
	}
	if _, ok := o.EndpointResolverV2.(*guardedHost); ok {
		return true
	}
	if _, ok := o.HTTPClient.(pinned.Refusing); ok {
		return true
	}
	return !foreign.IsNil(o.Credentials) && aws.IsCredentialsProvider(o.Credentials, (*sealedCredentials)(nil))
}

// checkUnguarded refuses to guard a client twice: the inner guard would refuse what the
// outer one sends.
func checkUnguarded(theirs bedrockruntime.Options) error {
	if !isGuarded(theirs) {
		return nil
	}
	return refusal.Fault("Credentials", "the configuration or the client is that of a client which is guarded already, and its credentials sign that client's calls alone; use that client, or give the configuration that it was made of")
}
