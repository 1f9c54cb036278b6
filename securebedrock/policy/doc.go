// Package policy writes IAM, service control, VPC endpoint, KMS and trust policies from
// the very securebedrock.Options that a client runs on.
package policy
