package session

import (
	"fmt"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// The operations that give credentials or the token for them.
const (
	opAssumeRole         = "AssumeRole"
	opWebIdentity        = "AssumeRoleWithWebIdentity"
	opGetRoleCredentials = "GetRoleCredentials" // SSO
	opCreateToken        = "CreateToken"        // SSO OIDC
	opCreateOAuth2Token  = "CreateOAuth2Token"  // Signin
	opContainer          = "GetCredentials"     // credentials/endpointcreds
)

// isService tells a regional service from the metadata of an instance or a container.
func isService(op string) bool {
	switch op {
	case opAssumeRole, opWebIdentity, opGetRoleCredentials, opCreateToken, opCreateOAuth2Token:
		return true
	}
	return false
}

func refuse(op string, rule error, format string, args ...any) error {
	return &refusal.Refusal{Rule: rule, Operation: op, Detail: fmt.Sprintf(format, args...)}
}
