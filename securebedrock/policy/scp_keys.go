package policy

// DenyAPIKeys denies the use and the making of Bedrock API keys. It is attached to the
// account or to its organisational unit, and mirrors ErrAuth: the client signs with
// SigV4 alone.
//
// Both endpoints have an action of their own, and a key works on the one that is left
// out. A short-term key is made without any call, so that only its use can be denied.
// A long-term key is a service-specific credential of an IAM user. To reset it gives a
// new secret. To deactivate or delete a leaked key stays permitted; that is why
// UpdateServiceSpecificCredential is not denied, although it can activate a key again.
// https://docs.aws.amazon.com/bedrock/latest/userguide/api-keys-permissions.html
func DenyAPIKeys(*Spec) ([]Document, error) {
	return denial("scp-api-keys",
		"Denies Bedrock API keys, short-term and long-term: their use on both endpoints, and the making of long-term keys.",
		"ErrAuth",
		Statement{
			Sid:      "DenyBearerTokens",
			Effect:   Deny,
			Action:   []string{"bedrock:CallWithBearerToken", "bedrock-mantle:CallWithBearerToken"},
			Resource: []string{"*"},
		},
		Statement{
			// Both actions always have the key, so that credentials of other services pass.
			Sid:       "DenyLongTermKeys",
			Effect:    Deny,
			Action:    []string{"iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential"},
			Resource:  []string{"*"},
			Condition: when("StringEquals", "iam:ServiceSpecificCredentialServiceName", "bedrock.amazonaws.com"),
		})
}
