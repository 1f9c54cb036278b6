package policy

import (
	"slices"
	"strings"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// What the documents of Account.Resources share: principals, ARNs of other services, and
// the conditions that keep an AWS service from being used by another account.

// callingPrincipals call models, agents and knowledge bases.
func (s *Spec) callingPrincipals() []string {
	list := s.acct.Resources.Callers
	if s.opts.Role != nil {
		list = append(slices.Clone(list), s.opts.Role.ARN)
	}
	return sortedSet(list)
}

// serviceARN is the ARN of another service's resource in the account.
func (s *Spec) serviceARN(service, region, resource string) string {
	return s.arnOf(service, region, s.account, resource)
}

// bucketARN is the ARN of a bucket or, with a path, of objects in it.
func (s *Spec) bucketARN(bucket, path string) string {
	arn := s.arnOf("s3", "", "", bucket)
	if path == "" {
		return arn
	}
	return arn + "/" + path
}

// viaService is the value of kms:ViaService for a service in the region of a key. The
// value has the domain of the partition, "s3.cn-north-1.amazonaws.com.cn" in China
// (https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html).
func viaService(service, region string) Condition {
	return when("StringEquals", "kms:ViaService", regionalHost(service, region))
}

func regionalHost(service, region string) string {
	p, _ := regions.Of(region)
	return service + "." + region + "." + p.DNS
}

// forResource is the condition on an AWS service that acts for a resource of the account.
// Without it, the service would act for whoever names the role, key or bucket in a
// configuration of another account (IAM User Guide, confused-deputy).
func (s *Spec) forResource(arn string) Condition {
	operator := "ArnEquals"
	if strings.Contains(arn, "*") {
		operator = "ArnLike"
	}
	return when("StringEquals", "aws:SourceAccount", s.account).and(when(operator, "aws:SourceArn", arn))
}

// service is an AWS service as a principal. The name is the same in every partition for
// bedrock, cloudtrail and pods.eks; AWS publishes no other for China.
func service(name string) *Principal { return &Principal{Service: []string{name}} }

// lastWord is the name at the end of an ARN.
func lastWord(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
