package policy

// guardedKeys are the keys of the guardrail and of custom models. Bedrock calls KMS with
// the rights of whoever creates or calls, hence kms:ViaService.
//
// AWS's page on guardrails shows no kms:ViaService. AWS's own managed policy
// SageMakerStudioBedrockFlowServiceRolePolicy demands it of Decrypt for a guardrail. For
// creating a guardrail it is unverified; without it CreateGuardrail would fail at once.
// https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-kms.html
// https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-custom-job.html
func guardedKeys(s *Spec) []keyUse {
	var uses []keyUse
	r := &s.acct.Resources
	for _, own := range []struct {
		key        *Key
		name, what string
	}{{&r.GuardrailKey, "guardrail", "the guardrail"}, {&r.ModelKey, "model", "custom models"}} {
		if own.key.ARN == "" {
			continue
		}
		via := viaService("bedrock", s.region)
		u := keyUse{arn: own.key.ARN, name: own.name, what: own.what}
		if creators := sortedSet(own.key.Creators); len(creators) > 0 {
			u.statements = append(u.statements, mayUse("CreateUnderKey", &Principal{AWS: creators}, via,
				"kms:CreateGrant", "kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"))
		}
		u.statements = append(u.statements, mayUse("CallUnderKey", &Principal{AWS: s.callingPrincipals()}, via, "kms:Decrypt"))
		uses = append(uses, u)
	}
	return uses
}

// sourceKeys are the keys of knowledge bases: of the documents in S3, and of the copy that
// Bedrock makes as it ingests them. AWS's page names no condition for the copy.
// https://docs.aws.amazon.com/bedrock/latest/userguide/encryption-kb.html
func sourceKeys(s *Spec) []keyUse {
	var uses []keyUse
	for i := range s.acct.Resources.KnowledgeBases {
		k := &s.acct.Resources.KnowledgeBases[i]
		role := &Principal{AWS: []string{k.Role}}
		if k.BucketKey != "" {
			uses = append(uses, keyUse{arn: k.BucketKey, name: "documents", what: "the documents of a knowledge base",
				statements: []Statement{mayUse("ReadDocuments", role, viaService("s3", s.region), "kms:Decrypt")}})
		}
		if k.Key != "" {
			uses = append(uses, keyUse{arn: k.Key, name: "ingestion", what: "the documents that a knowledge base ingests",
				statements: []Statement{mayUse("IngestDocuments", role.clone(), nil, "kms:Decrypt", "kms:GenerateDataKey")}})
		}
	}
	return uses
}

// agentKeys are the keys of agents: for Bedrock, the agent's own role and its callers
// about that agent, and for its editors about any agent, since a new one has no ID yet.
// AWS's older page also allows grants of Bedrock's, for agents of before 2025-01-22.
// https://docs.aws.amazon.com/bedrock/latest/userguide/cmk-agent-resources.html
func agentKeys(s *Spec) []keyUse {
	var uses []keyUse
	for i := range s.acct.Resources.Agents {
		a := &s.acct.Resources.Agents[i]
		if a.Key == "" {
			continue
		}
		about := when("StringEquals", agentContext, s.arn("agent/"+a.ID))
		u := keyUse{arn: a.Key, name: "agent", what: "the agent " + a.ID, statements: []Statement{
			mayUse("EncryptAgent", service("bedrock.amazonaws.com"), about, "kms:Decrypt", "kms:GenerateDataKey"),
		}}
		users := s.callingPrincipals()
		if a.Role != "" {
			users = append(users, a.Role)
		}
		if len(users) > 0 {
			u.statements = append(u.statements, mayUse("AskAgent", &Principal{AWS: sortedSet(users)}, about, "kms:Decrypt", "kms:GenerateDataKey"))
		}
		if editors := sortedSet(a.Editors); len(editors) > 0 {
			u.statements = append(u.statements, mayUse("EditAgents", &Principal{AWS: editors},
				when("StringLike", agentContext, s.arn("agent/*")), "kms:Decrypt", "kms:GenerateDataKey"))
		}
		uses = append(uses, u)
	}
	return uses
}

// logKeys are the keys of the invocation logs: of the bucket, and of the log group.
// https://docs.aws.amazon.com/bedrock/latest/userguide/model-invocation-logging.html
func logKeys(s *Spec) []keyUse {
	var uses []keyUse
	l := &s.acct.Resources.Logs
	if l.BucketKey != "" {
		u := keyUse{arn: l.BucketKey, name: "log-bucket", what: "the invocation logs in S3", statements: []Statement{
			mayUse("WriteInvocationLogs", service("bedrock.amazonaws.com"), s.forResource(s.arn("*")), "kms:GenerateDataKey"),
		}}
		if readers := sortedSet(l.Readers); len(readers) > 0 {
			u.statements = append(u.statements, mayUse("ReadInvocationLogs", &Principal{AWS: readers}, viaService("s3", s.region), "kms:Decrypt"))
		}
		uses = append(uses, u)
	}
	if l.GroupKey != "" {
		uses = append(uses, logGroupKey(s, l.GroupKey, s.region, l.Group, "log-group"))
	}
	return uses
}

// logGroupKey is the key of one log group. AWS's page also lists kms:Describe*, which has no
// encryption context and so is never allowed by its statement.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
func logGroupKey(s *Spec, key, region, group, name string) keyUse {
	return keyUse{arn: key, name: name, what: "the log group " + group, statements: []Statement{
		mayUse("EncryptLogGroup", service(regionalHost("logs", region)),
			when("ArnEquals", "kms:EncryptionContext:aws:logs:arn", s.serviceARN("logs", region, "log-group:"+group)),
			"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
	}}
}

// trailKeys are the keys of the trail: of its files, and of its log group.
//
// CloudTrail decrypts as it checks a bucket that has an S3 Bucket Key; that aws:SourceArn
// is present then is unverified, and without it UpdateTrail would fail at once.
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
func trailKeys(s *Spec) []keyUse {
	var uses []keyUse
	t := &s.acct.Resources.Trail
	home := s.trailRegion()
	if t.Key != "" {
		source := when("ArnEquals", "aws:SourceArn", s.trailARN(home))
		files := when("StringLike", "kms:EncryptionContext:aws:cloudtrail:arn", s.trailARN("*"))
		u := keyUse{arn: t.Key, name: "trail", what: "the files of the trail " + t.Name, statements: []Statement{
			mayUse("EncryptTrail", service("cloudtrail.amazonaws.com"), source.and(files), "kms:GenerateDataKey*"),
			mayUse("CheckTrailKey", service("cloudtrail.amazonaws.com"), source, "kms:Decrypt", "kms:DescribeKey"),
		}}
		if readers := sortedSet(t.Readers); len(readers) > 0 {
			u.statements = append(u.statements, mayUse("ReadTrail", &Principal{AWS: readers}, files, "kms:Decrypt"))
		}
		uses = append(uses, u)
	}
	if t.GroupKey != "" {
		uses = append(uses, logGroupKey(s, t.GroupKey, home, t.Group, "trail-group"))
	}
	return uses
}
