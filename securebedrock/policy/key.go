package policy

import (
	"fmt"
	"slices"
	"strings"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// KeyPolicies are the policies of the account's KMS keys in Account.Resources, one a key:
// a key has one policy, so that a key of two uses has the statements of both. The
// client has no such rule.
//
// Who manages a key cannot use it, and who uses it cannot manage it. The account's root
// stands in each policy so that the account's own IAM policies can repair it: a key whose
// administrators are gone cannot be managed by anybody. Root is given no action that encrypts or decrypts, and not
// CreateGrant, with which an administrator would give himself both. AWS's default policy
// gives kms:* to root, so that any IAM policy that allows kms:Decrypt opens the key.
// Therefore an IAM policy alone gives no use of these keys.
// https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html
func KeyPolicies(s *Spec) ([]Document, error) {
	var keys []string
	uses := make(map[string][]keyUse)
	for _, u := range slices.Concat(guardedKeys(s), sourceKeys(s), agentKeys(s), logKeys(s), trailKeys(s)) {
		arn, ok := regions.ParseARN(u.arn)
		if !ok || arn.Account != s.account {
			continue // the other account's to write
		}
		if uses[u.arn] == nil {
			keys = append(keys, u.arn)
		}
		uses[u.arn] = append(uses[u.arn], u)
	}
	var docs []Document
	for _, key := range keys {
		d := Document{
			Name: "key", Kind: KindKey,
			Attach:     "to the key " + key + ", as its key policy",
			Statements: s.keyManagement(),
		}
		var kinds, what []string
		for _, u := range uses[key] {
			kinds, what = append(kinds, u.name), append(what, u.what)
			d.Statements = append(d.Statements, u.statements...)
		}
		d.Purpose = "Lets the key encrypt " + strings.Join(distinct(what), ", and ") + "."
		d.Name += "-" + strings.Join(distinct(kinds), "-")
		numberSids(d.Statements)
		docs = append(docs, d)
	}
	numberNames(docs)
	return fitAll(docs...)
}

// keyUse is what a key is for.
type keyUse struct {
	arn        string
	name, what string
	statements []Statement
}

// mayUse is a statement of a key policy. The resource "*" is the key itself.
func mayUse(sid string, who *Principal, condition Condition, actions ...string) Statement {
	return Statement{Sid: sid, Effect: Allow, Principal: who, Action: actions, Resource: []string{"*"}, Condition: condition}
}

// keyManagement is how every key is managed.
func (s *Spec) keyManagement() []Statement {
	root := &Principal{AWS: []string{s.serviceARN("iam", "", "root")}}
	administrators := sortedSet(s.acct.Resources.KeyAdministrators)
	if len(administrators) == 0 {
		return []Statement{mayUse("ManageThroughIAM", root, nil, keyManagementActions()...)}
	}
	return []Statement{
		mayUse("RepairThroughIAM", root, nil, "kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"),
		mayUse("ManageKey", &Principal{AWS: administrators}, nil, keyManagementActions()...),
	}
}

// keyManagementActions leave out what uses the key, CreateGrant, which hands use on, and
// ReplicateKey, which takes the key to another region.
func keyManagementActions() []string {
	return []string{
		"kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:DisableKeyRotation",
		"kms:EnableKey", "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListGrants", "kms:ListKeyPolicies",
		"kms:ListKeyRotations", "kms:ListResourceTags", "kms:PutKeyPolicy", "kms:RevokeGrant", "kms:RotateKeyOnDemand",
		"kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias", "kms:UpdateKeyDescription",
	}
}

// numberSids makes each Sid unique, as a policy demands.
func numberSids(statements []Statement) {
	seen := make(map[string]int)
	for i := range statements {
		sid := statements[i].Sid
		if seen[sid]++; seen[sid] > 1 {
			statements[i].Sid = fmt.Sprintf("%s%d", sid, seen[sid])
		}
	}
}
