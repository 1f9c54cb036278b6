package policy

import "strings"

// BucketPolicies are the policies of the buckets in Account.Resources, one a bucket: a
// bucket has one policy, so that a bucket of two uses has the statements of both, and a
// policy that stands is replaced. The bucket of another account is left to that account.
// The client has no such rule.
//
// Each denies what comes without TLS or with an older TLS than 1.2. A request without the key
// s3:TlsVersion, as of an AWS service inside AWS, is not denied for its version.
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html
//
// Invocation logs reach a bucket without ACLs only, and CloudTrail is known by the
// trail's ARN, which holds the account: AWS advises against aws:SourceAccount there.
// https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
func BucketPolicies(s *Spec) ([]Document, error) {
	var names []string
	uses := make(map[string][]bucketUse)
	for _, u := range s.bucketUses() {
		if uses[u.bucket] == nil {
			names = append(names, u.bucket)
		}
		uses[u.bucket] = append(uses[u.bucket], u)
	}
	var docs []Document
	for _, name := range names {
		d := Document{
			Name: fileName("bucket", name), Kind: KindBucket,
			Attach:     "to the bucket " + name + ", as its bucket policy",
			Statements: s.onlyTLS(name),
		}
		var what []string
		for _, u := range uses[name] {
			what = append(what, u.what)
			d.Statements = append(d.Statements, u.statements...)
		}
		d.Purpose = "Keeps the bucket of " + strings.Join(sortedSet(what), ", and of ") + " to TLS 1.2 and to its writers. Replaces a policy that stands."
		docs = append(docs, d)
	}
	return fitAll(docs...)
}

// bucketUse is what a bucket is for.
type bucketUse struct {
	bucket, what string
	statements   []Statement
}

func (s *Spec) bucketUses() []bucketUse {
	var uses []bucketUse
	r := &s.acct.Resources
	if l := &r.Logs; l.Bucket != "" {
		uses = append(uses, bucketUse{bucket: l.Bucket, what: "invocation logs", statements: []Statement{{
			Sid: "WriteInvocationLogs", Effect: Allow, Principal: service("bedrock.amazonaws.com"),
			Action:    []string{"s3:PutObject"},
			Resource:  []string{s.bucketARN(l.Bucket, under(l.Prefix)+"AWSLogs/"+s.account+"/BedrockModelInvocationLogs/*")},
			Condition: s.forResource(s.arn("*")),
		}}})
	}
	if t := &r.Trail; t.Bucket != "" {
		source := when("StringEquals", "aws:SourceArn", s.trailARN(s.trailRegion()))
		uses = append(uses, bucketUse{bucket: t.Bucket, what: "the trail " + t.Name, statements: []Statement{
			{
				Sid: "CheckTrailBucket", Effect: Allow, Principal: service("cloudtrail.amazonaws.com"),
				Action: []string{"s3:GetBucketAcl"}, Resource: []string{s.bucketARN(t.Bucket, "")}, Condition: source,
			},
			{
				Sid: "WriteTrail", Effect: Allow, Principal: service("cloudtrail.amazonaws.com"),
				Action:    []string{"s3:PutObject"},
				Resource:  []string{s.bucketARN(t.Bucket, under(t.Prefix)+"AWSLogs/"+s.account+"/*")},
				Condition: source.and(when("StringEquals", "s3:x-amz-acl", "bucket-owner-full-control")),
			},
		}})
	}
	for i := range r.KnowledgeBases {
		k := &r.KnowledgeBases[i]
		if k.Bucket != "" && (k.BucketAccount == "" || k.BucketAccount == s.account) {
			uses = append(uses, bucketUse{bucket: k.Bucket, what: "a knowledge base's documents"})
		}
	}
	return uses
}

// under is a key prefix with its slash.
func under(prefix string) string {
	if prefix == "" {
		return ""
	}
	return prefix + "/"
}

// onlyTLS denies everybody what is not encrypted on its way.
func (s *Spec) onlyTLS(bucket string) []Statement {
	all := []string{s.bucketARN(bucket, ""), s.bucketARN(bucket, "*")}
	return []Statement{
		{
			Sid: "DenyWithoutTLS", Effect: Deny, Principal: &Principal{Any: true}, Action: []string{"s3:*"}, Resource: all,
			Condition: when("Bool", "aws:SecureTransport", "false"),
		},
		{
			Sid: "DenyOldTLS", Effect: Deny, Principal: &Principal{Any: true}, Action: []string{"s3:*"}, Resource: all,
			Condition: when("NumericLessThan", "s3:TlsVersion", "1.2"),
		},
	}
}
