// Package policy will write the IAM, service control, VPC endpoint, KMS and trust
// policies that say on the account's side what securebedrock.Options says on the
// application's. It holds nothing yet.
package policy
