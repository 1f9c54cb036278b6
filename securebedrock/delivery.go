package securebedrock

import "github.com/securebedrock/securebedrock-go/internal/modelretry"

// delivery is what was sent of an exchange, with which credentials, and how long the
// exchange has waited to be sent.
type delivery struct {
	modelretry.Call

	accessKey string // of the credentials that the last attempt was given
	token     string // their session token
	principal string // the ARN of their role session
}
