// Package baseline will set up the account around the client, with plan, apply
// and check: VPC endpoint, KMS, S3, CloudTrail, CloudWatch, invocation logging.
// It is a module of its own, so that the client does not pull those SDKs in. It
// holds nothing yet.
package baseline
