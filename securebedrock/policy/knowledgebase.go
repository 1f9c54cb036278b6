package policy

import (
	"maps"
	"slices"
)

// KnowledgeBaseCaller lets a caller search the knowledge bases of Account.Resources. It is
// attached to the roles that call. The client has no such rule.
//
// RetrieveAndGenerate stands in a statement of its own on "*" since the action takes no
// resource: on a knowledge base's ARN it is never allowed. Bedrock also asks for Retrieve
// on the knowledge base, which keeps the statement to these. The action carries no
// guardrail key, so that it is left out without a reason. Its inner model calls carry none, either;
// the caller needs a statement for them and a place in Account.ExceptPrincipals.
// https://docs.aws.amazon.com/bedrock/latest/userguide/knowledge-base-prereq-permissions-general.html
// https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html
func KnowledgeBaseCaller(s *Spec) ([]Document, error) {
	var arns []string
	for i := range s.acct.Resources.KnowledgeBases {
		if id := s.acct.Resources.KnowledgeBases[i].ID; id != "" {
			arns = append(arns, s.arn("knowledge-base/"+id))
		}
	}
	if len(arns) == 0 {
		return nil, nil
	}
	d := Document{
		Name: "knowledge-base-caller", Kind: KindManaged,
		Purpose: "Lets a caller search these knowledge bases.",
		Attach:  "to the roles of the callers",
		Statements: []Statement{{
			Sid: "SearchKnowledgeBases", Effect: Allow,
			Action:   []string{"bedrock:GetKnowledgeBase", "bedrock:Retrieve"},
			Resource: sortedSet(arns),
		}},
	}
	if reason := s.acct.Resources.RetrieveAndGenerate; reason != "" {
		d.Purpose = "Lets a caller search these knowledge bases, and generate from them, where the call's own body chooses the model and the guardrail: " + reason + "."
		d.Statements = append(d.Statements, Statement{
			Sid: "GenerateFromKnowledgeBases", Effect: Allow,
			Action:    []string{"bedrock:RetrieveAndGenerate"},
			Resource:  []string{"*"},
			Condition: when("StringEquals", keyRegion, s.region),
		})
	}
	return fit(d)
}

// KnowledgeBaseRole is what the service role of a knowledge base may do: read the data
// source in the bucket of the named account, decrypt it, and embed it with the models of
// Account.Unguardable. What its vector store asks for is left to the store's own page. It
// is an inline policy of that role. The client has no such rule.
//
// s3:ResourceAccount keeps a bucket's name that another account took over from being
// read. https://docs.aws.amazon.com/bedrock/latest/userguide/kb-permissions.html
func KnowledgeBaseRole(s *Spec) ([]Document, error) {
	var docs []Document
	for i := range s.acct.Resources.KnowledgeBases {
		k := &s.acct.Resources.KnowledgeBases[i]
		if k.Role == "" {
			continue
		}
		d := Document{
			Name: fileName("knowledge-base-role", lastWord(k.Role)), Kind: KindInline,
			Purpose: "Lets a knowledge base read its data source and embed it.",
			Attach:  "to the role " + k.Role + ", as an inline policy",
		}
		if k.Bucket != "" {
			owner := k.BucketAccount
			if owner == "" {
				owner = s.account
			}
			owned := when("StringEquals", "s3:ResourceAccount", owner)
			d.Statements = append(d.Statements,
				Statement{Sid: "ListDataSource", Effect: Allow, Action: []string{"s3:ListBucket"}, Resource: []string{s.bucketARN(k.Bucket, "")}, Condition: owned},
				Statement{Sid: "ReadDataSource", Effect: Allow, Action: []string{"s3:GetObject"}, Resource: []string{s.bucketARN(k.Bucket, "*")}, Condition: owned})
		}
		if k.BucketKey != "" {
			d.Statements = append(d.Statements, Statement{Sid: "DecryptDataSource", Effect: Allow, Action: []string{"kms:Decrypt"}, Resource: []string{k.BucketKey}, Condition: viaService("s3", s.region)})
		}
		if k.Key != "" {
			// AWS's page names no kms:ViaService for the data under ingestion.
			d.Statements = append(d.Statements, Statement{Sid: "EncryptIngestion", Effect: Allow, Action: []string{"kms:Decrypt", "kms:GenerateDataKey"}, Resource: []string{k.Key}})
		}
		if models := s.modelARNs(s.region, slices.Sorted(maps.Keys(s.acct.Unguardable))); len(models) > 0 {
			d.Statements = append(d.Statements, Statement{Sid: "EmbedDocuments", Effect: Allow, Action: []string{invokeModel}, Resource: models})
		}
		if len(d.Statements) == 0 {
			continue
		}
		docs = append(docs, d)
	}
	return fitAll(docs...)
}
