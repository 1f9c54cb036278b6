package policy

const (
	throughIAM = "arn:aws:iam::111122223333:role/through-iam" // its IAM policy allows kms:*
	bedrockARN = "arn:aws:bedrock:eu-central-1:111122223333:"
	gateway    = "bedrock.amazonaws.com"
)

// grants are what the documents of everything allow.
func grants() []grant {
	const (
		guardrail    = bedrockARN + "guardrail/gr1234567890"
		kb           = bedrockARN + "knowledge-base/KB12345678"
		here         = "eu-central-1"
		trail        = "arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"
		viaBedrock   = "bedrock.eu-central-1.amazonaws.com"
		viaS3        = "s3.eu-central-1.amazonaws.com"
		agent        = bedrockARN + "agent/AGENT12345"
		managesKey   = "kms:CancelKeyDeletion kms:CreateAlias kms:DeleteAlias kms:DescribeKey kms:DisableKey kms:DisableKeyRotation kms:EnableKey kms:EnableKeyRotation kms:GetKeyPolicy kms:GetKeyRotationStatus kms:ListGrants kms:ListKeyPolicies kms:ListKeyRotations kms:ListResourceTags kms:PutKeyPolicy kms:RevokeGrant kms:RotateKeyOnDemand kms:ScheduleKeyDeletion kms:TagResource kms:UntagResource kms:UpdateAlias kms:UpdateKeyDescription"
		repairsKey   = "kms:DescribeKey kms:GetKeyPolicy kms:PutKeyPolicy"
		createsUnder = "kms:CreateGrant kms:Decrypt kms:DescribeKey kms:GenerateDataKey"
		both         = "kms:Decrypt kms:GenerateDataKey"
		podTagKeys   = "eks-cluster-arn eks-cluster-name kubernetes-namespace kubernetes-pod-name kubernetes-pod-uid kubernetes-service-account"
		github       = "token.actions.githubusercontent.com"
		eks          = "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF"
		cognito      = "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_abcdefghi"
		provider     = "arn:aws:iam::111122223333:oidc-provider/"
		streams      = "logs:CreateLogStream logs:PutLogEvents"
		logGroup     = "arn:aws:logs:eu-central-1:111122223333:log-group:/bedrock/invocations"
		trailGroup   = "arn:aws:logs:eu-west-1:111122223333:log-group:trail"
		logsUse      = "kms:Decrypt kms:Encrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:ReEncryptFrom kms:ReEncryptTo"
	)
	self := func(name string) string { return "arn:aws:kms:eu-central-1:111122223333:key/" + name }
	one := func(key, value string) map[string]string { return map[string]string{key: value} }
	source := func(arn string) map[string]string {
		return map[string]string{"aws:SourceAccount": resAccount, "aws:SourceArn": arn}
	}
	all := []grant{
		{"guardrail-reader", resRole, "bedrock:ApplyGuardrail bedrock:GetGuardrail bedrock:GetResourcePolicy bedrock:ListTagsForResource", guardrail, nil},
		{"guardrail-reader", resRole, "bedrock:ListEnforcedGuardrailsConfiguration bedrock:ListGuardrails", "*", one("aws:RequestedRegion", here)},
		{"guardrail-admin", resRole, "bedrock:ApplyGuardrail bedrock:CreateGuardrailVersion bedrock:DeleteGuardrail bedrock:DeleteResourcePolicy bedrock:GetGuardrail bedrock:GetResourcePolicy bedrock:ListTagsForResource bedrock:PutResourcePolicy bedrock:TagResource bedrock:UntagResource bedrock:UpdateGuardrail", bedrockARN + "guardrail/new", one("aws:PrincipalTag/guardrail-admin", "true")},
		{"guardrail-admin", resRole, "bedrock:UpdateGuardrail", bedrockARN + "guardrail-profile/eu.guardrail.v1:0", one("aws:PrincipalTag/guardrail-admin", "true")},
		{"guardrail-admin", resRole, "bedrock:CreateGuardrail bedrock:DeleteEnforcedGuardrailConfiguration bedrock:ListEnforcedGuardrailsConfiguration bedrock:ListGuardrails bedrock:PutEnforcedGuardrailConfiguration", "*", map[string]string{"aws:PrincipalTag/guardrail-admin": "true", "aws:RequestedRegion": here}},

		{"knowledge-base-caller", resRole, "bedrock:GetKnowledgeBase bedrock:Retrieve", kb, nil},
		{"knowledge-base-caller", resRole, "bedrock:RetrieveAndGenerate", "*", one("aws:RequestedRegion", here)},
		{"knowledge-base-role-kb", resRole, "s3:ListBucket", "arn:aws:s3:::claims-documents", one("s3:ResourceAccount", resAccount)},
		{"knowledge-base-role-kb", resRole, "s3:GetObject", "arn:aws:s3:::claims-documents/a/b.pdf", one("s3:ResourceAccount", resAccount)},
		{"knowledge-base-role-kb", resRole, "kms:Decrypt", self("documents"), one("kms:ViaService", viaS3)},
		{"knowledge-base-role-kb", resRole, both, self("ingestion"), nil},
		{"knowledge-base-role-kb", resRole, "bedrock:InvokeModel", "arn:aws:bedrock:eu-central-1::foundation-model/amazon.titan-embed-text-v2:0", nil},
		{"knowledge-base-role-kb", resRole, "bedrock:InvokeModel", "arn:aws:bedrock:eu-central-1::foundation-model/cohere.embed-english-v3", nil},
		{"knowledge-base-role-kb-next", resRole, "s3:ListBucket", "arn:aws:s3:::partner-documents", one("s3:ResourceAccount", resOther)},
		{"knowledge-base-role-kb-next", resRole, "s3:GetObject", "arn:aws:s3:::partner-documents/a", one("s3:ResourceAccount", resOther)},
		{"knowledge-base-role-kb-next", resRole, "bedrock:InvokeModel", "arn:aws:bedrock:eu-central-1::foundation-model/amazon.titan-embed-text-v2:0", nil},
		{"knowledge-base-role-kb-next", resRole, "bedrock:InvokeModel", "arn:aws:bedrock:eu-central-1::foundation-model/cohere.embed-english-v3", nil},

		{"agent-caller", resRole, "bedrock:InvokeAgent", bedrockARN + "agent-alias/AGENT12345/ALIAS12345", nil},
		{"agent-caller", resRole, "bedrock:InvokeAgent", bedrockARN + "agent-alias/AGENT12345/ALIAS67890", nil},
		{"agent-caller", resRole, both, self("agent"), one(agentContext, agent)},

		{"trust-workload", "pods.eks.amazonaws.com", "sts:AssumeRole sts:TagSession", resRole, map[string]string{"aws:RequestTag/eks-cluster-arn": "arn:aws:eks:eu-central-1:111122223333:cluster/main", "aws:RequestTag/kubernetes-namespace": "claims", "aws:RequestTag/kubernetes-service-account": "api"}},
		{"trust-workload", provider + github, "sts:AssumeRoleWithWebIdentity", resRole, map[string]string{github + ":aud": "sts.amazonaws.com", github + ":sub": "repo:example/app:ref:refs/heads/main"}},
		{"trust-workload", provider + eks, "sts:AssumeRoleWithWebIdentity", resRole, map[string]string{eks + ":aud": "sts.amazonaws.com", eks + ":sub": "system:serviceaccount:claims:api"}},
		{"trust-workload", provider + cognito, "sts:AssumeRoleWithWebIdentity", resRole, map[string]string{cognito + ":aud": "3example4client5id", cognito + ":sub": "b1e2c3d4-1234-5678-9abc-def012345678"}},

		{"service-trust-kb", gateway, "sts:AssumeRole", resRole, source(kb)},
		{"service-trust-kb-next", gateway, "sts:AssumeRole", resRole, source(bedrockARN + "knowledge-base/ANY1234567")},
		{"service-trust-agent", gateway, "sts:AssumeRole", resRole, source(agent)},
		{"service-trust-batch", gateway, "sts:AssumeRole", resRole, source(bedrockARN + "model-invocation-job/abc")},
		{"service-trust-bedrock-logging", gateway, "sts:AssumeRole", resRole, source(bedrockARN + "anything")},
		{"service-trust-trail", "cloudtrail.amazonaws.com", "sts:AssumeRole", resRole, source(trail)},
		{"logging-role", resRole, streams, logGroup + ":log-stream:aws/bedrock/modelinvocations", nil},
		{"trail-role", resRole, streams, trailGroup + ":log-stream:111122223333_CloudTrail_eu-west-1_2", nil},

		{"key-guardrail", roleOf("guardrail-admin"), createsUnder, self("guardrail"), one("kms:ViaService", viaBedrock)},
		{"key-guardrail", resRole, "kms:Decrypt", self("guardrail"), one("kms:ViaService", viaBedrock)},
		{"key-guardrail", roleOf("batch-caller"), "kms:Decrypt", self("guardrail"), one("kms:ViaService", viaBedrock)},
		{"key-model", roleOf("tuner"), createsUnder, self("model"), one("kms:ViaService", viaBedrock)},
		{"key-model", resRole, "kms:Decrypt", self("model"), one("kms:ViaService", viaBedrock)},
		{"key-model", roleOf("batch-caller"), "kms:Decrypt", self("model"), one("kms:ViaService", viaBedrock)},
		{"key-documents", roleOf("service-role/kb"), "kms:Decrypt", self("documents"), one("kms:ViaService", viaS3)},
		{"key-ingestion", roleOf("service-role/kb"), both, self("ingestion"), nil},
		{"key-agent", gateway, both, self("agent"), one(agentContext, agent)},
		{"key-agent", resRole, both, self("agent"), one(agentContext, agent)},
		{"key-agent", roleOf("batch-caller"), both, self("agent"), one(agentContext, agent)},
		{"key-agent", roleOf("service-role/agent"), both, self("agent"), one(agentContext, agent)},
		{"key-agent", roleOf("agent-editor"), both, self("agent"), one(agentContext, bedrockARN+"agent/NEWAGENT12")},
		{"key-log-bucket", gateway, "kms:GenerateDataKey", self("log-bucket"), source(bedrockARN + "anything")},
		{"key-log-bucket", roleOf("auditor"), "kms:Decrypt", self("log-bucket"), one("kms:ViaService", viaS3)},
		{"key-log-group", "logs.eu-central-1.amazonaws.com", logsUse, self("log-group"), one("kms:EncryptionContext:aws:logs:arn", logGroup)},
		{"key-trail", "cloudtrail.amazonaws.com", "kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext", self("trail"), map[string]string{"aws:SourceArn": trail, "kms:EncryptionContext:aws:cloudtrail:arn": trail}},
		{"key-trail", "cloudtrail.amazonaws.com", "kms:Decrypt kms:DescribeKey", self("trail"), one("aws:SourceArn", trail)},
		{"key-trail", roleOf("auditor"), "kms:Decrypt", self("trail"), one("kms:EncryptionContext:aws:cloudtrail:arn", "arn:aws:cloudtrail:us-east-1:111122223333:trail/main")},
		{"key-trail-group", "logs.eu-west-1.amazonaws.com", logsUse, self("trail-group"), one("kms:EncryptionContext:aws:logs:arn", trailGroup)},

		{"bucket-bedrock-logs", gateway, "s3:PutObject", "arn:aws:s3:::bedrock-logs/prod/eu/AWSLogs/111122223333/BedrockModelInvocationLogs/eu-central-1/a.gz", source(bedrockARN + "anything")},
		{"bucket-trail-files", "cloudtrail.amazonaws.com", "s3:GetBucketAcl", "arn:aws:s3:::trail-files", one("aws:SourceArn", trail)},
		{"bucket-trail-files", "cloudtrail.amazonaws.com", "s3:PutObject", "arn:aws:s3:::trail-files/org/AWSLogs/111122223333/CloudTrail/a.gz", map[string]string{"aws:SourceArn": trail, "s3:x-amz-acl": "bucket-owner-full-control"}},
	}
	for _, key := range []string{"guardrail", "model", "documents", "ingestion", "agent", "log-bucket", "log-group", "trail", "trail-group"} {
		all = append(all,
			grant{"key-" + key, throughIAM, repairsKey, self(key), nil},
			grant{"key-" + key, roleOf("key-admin"), managesKey, self(key), nil})
	}
	for _, who := range []string{roleOf("workload"), "arn:aws:iam::" + resOther + ":role/partner"} {
		tags := map[string]string{"aws:RequestTag/project": "claims", "aws:RequestTag/cost": "42"}
		all = append(all,
			grant{"trust-role", who, "sts:AssumeRole", resRole, map[string]string{
				"aws:RequestTag/project": tags["aws:RequestTag/project"], "aws:RequestTag/cost": tags["aws:RequestTag/cost"],
				"sts:ExternalId": "claims:prod", "sts:SourceIdentity": "claims-api",
			}},
			grant{"trust-role", who, "sts:SetSourceIdentity", resRole, one("sts:SourceIdentity", "claims-api")},
			grant{"trust-role", who, "sts:TagSession", resRole, map[string]string{
				"aws:RequestTag/project": tags["aws:RequestTag/project"], "aws:RequestTag/cost": tags["aws:RequestTag/cost"],
				"aws:TagKeys": "project cost team " + podTagKeys, "sts:TransitiveTagKeys": "cost team " + podTagKeys,
			}})
	}
	return all
}

// refusals are requests that come near to what a document allows, and requests that pass a
// Deny.
func refusals() []aroundRequest {
	row := func(about, doc, who, action, resource string, allowed bool, context ...string) aroundRequest {
		r := aroundRequest{about: about, doc: doc, who: who, action: action, resource: resource, allowed: allowed, context: make(map[string][]string)}
		for i := 0; i+1 < len(context); i += 2 {
			r.context[context[i]] = []string{context[i+1]}
		}
		return r
	}
	besideAllow := func(r aroundRequest) aroundRequest {
		r.identity = true
		return r
	}
	const viaBedrock = "bedrock.eu-central-1.amazonaws.com"
	rows := []aroundRequest{
		row("RetrieveAndGenerate on a knowledge base is a request on *", "knowledge-base-caller", resRole, "bedrock:Retrieve", bedrockARN+"knowledge-base/OTHER12345", false),
		row("a model is not called by who asks a knowledge base", "knowledge-base-caller", resRole, "bedrock:InvokeModel", "arn:aws:bedrock:eu-central-1::foundation-model/amazon.nova-pro-v1:0", false, "aws:RequestedRegion", "eu-central-1"),
		row("the draft of an agent is not asked", "agent-caller", resRole, "bedrock:InvokeAgent", bedrockARN+"agent-alias/AGENT12345/TSTALIASID", false),
		row("an inline agent is not asked", "agent-caller", resRole, "bedrock:InvokeInlineAgent", "*", false),
		row("a reader does not change the guardrail", "guardrail-reader", resRole, "bedrock:UpdateGuardrail", bedrockARN+"guardrail/gr1234567890", false),
		row("an administrator changes no agent", "guardrail-admin", resRole, "bedrock:TagResource", bedrockARN+"agent/AGENT12345", false, "aws:PrincipalTag/guardrail-admin", "true"),
		row("a service role does not generate", "knowledge-base-role-kb", resRole, "bedrock:InvokeModel", "arn:aws:bedrock:eu-central-1::foundation-model/anthropic.claude-3-haiku-20240307-v1:0", false),
		row("a tag that is not the client's is not passed", "trust-role", roleOf("workload"), "sts:TagSession", resRole, false,
			"aws:RequestTag/project", "claims", "aws:RequestTag/cost", "42", "aws:TagKeys", "guardrail-admin"),
		row("a token of another repository is refused", "trust-workload", "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com", "sts:AssumeRoleWithWebIdentity", resRole, false,
			"token.actions.githubusercontent.com:aud", "sts.amazonaws.com", "token.actions.githubusercontent.com:sub", "repo:other/app:ref:refs/heads/main"),
		row("a token of another namespace is refused", "trust-workload", "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF", "sts:AssumeRoleWithWebIdentity", resRole, false,
			"oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF:aud", "sts.amazonaws.com", "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF:sub", "system:serviceaccount:claims-2:api"),
		row("the logging role is not assumed for another account", "service-trust-bedrock-logging", gateway, "sts:AssumeRole", resRole, false,
			"aws:SourceAccount", resOther, "aws:SourceArn", "arn:aws:bedrock:eu-central-1:444455556666:anything"),
		row("the logging role is not assumed from another region", "service-trust-bedrock-logging", gateway, "sts:AssumeRole", resRole, false,
			"aws:SourceAccount", resAccount, "aws:SourceArn", "arn:aws:bedrock:us-east-1:111122223333:anything"),
		row("logs of another account are not written", "bucket-bedrock-logs", gateway, "s3:PutObject", "arn:aws:s3:::bedrock-logs/prod/eu/AWSLogs/444455556666/BedrockModelInvocationLogs/a", false,
			"aws:SourceAccount", resAccount, "aws:SourceArn", bedrockARN+"x"),
		row("a caller creates nothing under the guardrail's key", "key-guardrail", resRole, "kms:CreateGrant", resKey, false, "kms:ViaService", viaBedrock),
		row("an editor of agents does not use the key for other data", "key-agent", roleOf("agent-editor"), "kms:Decrypt", resKey, false, agentContext, bedrockARN+"prompt/X"),
	}
	for _, key := range []string{"guardrail", "model", "documents", "ingestion", "agent", "log-bucket", "log-group", "trail", "trail-group"} {
		for _, use := range []string{"kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:CreateGrant", "kms:ReplicateKey"} {
			for _, who := range []string{throughIAM, roleOf("key-admin")} {
				rows = append(rows, row("who manages the key "+key+" has no "+use, "key-"+key, who, use, resKey, false, "kms:ViaService", viaBedrock))
			}
		}
	}
	for bucket, doc := range map[string]string{"bedrock-logs": "bucket-bedrock-logs", "trail-files": "bucket-trail-files", "claims-documents": "bucket-claims-documents"} {
		for _, resource := range []string{"arn:aws:s3:::" + bucket, "arn:aws:s3:::" + bucket + "/a"} {
			rows = append(rows,
				row("nobody has access by the policy of "+bucket, doc, resRole, "s3:GetObject", resource, false, "aws:SecureTransport", "true", "s3:TlsVersion", "1.3"),
				besideAllow(row("TLS 1.2 to "+resource, doc, resRole, "s3:GetObject", resource, true, "aws:SecureTransport", "true", "s3:TlsVersion", "1.2")),
				besideAllow(row("an AWS service without the key s3:TlsVersion to "+resource, doc, resRole, "s3:PutObject", resource, true, "aws:SecureTransport", "true")),
				besideAllow(row("no TLS to "+resource, doc, resRole, "s3:GetObject", resource, false, "aws:SecureTransport", "false")),
				besideAllow(row("TLS 1.1 to "+resource, doc, resRole, "s3:GetObject", resource, false, "aws:SecureTransport", "true", "s3:TlsVersion", "1.1")))
		}
	}
	return rows
}
