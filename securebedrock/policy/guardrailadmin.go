package policy

// GuardrailReader lets a principal see the guardrail and test it, and see what else is
// there. It is attached to auditors and to a deployment that checks the guardrail. The
// client has no such rule.
//
// The list actions take no resource that would narrow them
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html).
func GuardrailReader(s *Spec) ([]Document, error) {
	if s.guardrail == "" {
		return nil, nil
	}
	return fit(Document{
		Name: "guardrail-reader", Kind: KindManaged,
		Purpose: "Lets a principal read the guardrail, apply it to a text, and list guardrails.",
		Attach:  "to auditors, and to a deployment that checks the guardrail",
		Statements: []Statement{
			{
				Sid: "ReadGuardrail", Effect: Allow,
				Action:   []string{applyGuardrail, "bedrock:GetGuardrail", "bedrock:GetResourcePolicy", "bedrock:ListTagsForResource"},
				Resource: []string{s.guardrail},
			},
			{
				Sid: "ListGuardrails", Effect: Allow,
				Action:    []string{"bedrock:ListEnforcedGuardrailsConfiguration", "bedrock:ListGuardrails"},
				Resource:  []string{"*"},
				Condition: when("StringEquals", keyRegion, s.region),
			},
		},
	})
}

// GuardrailAdmin lets the principals that carry Account.Resources.AdminTag create, change,
// publish and delete guardrails of the account, share them, and enforce one in the
// account. It can be attached widely, since the tag decides; whoever may tag principals,
// or pass the tag as a session tag, decides who is an administrator. The client has no
// such rule.
//
// CreateGuardrail and the actions on the enforced configuration take no resource
// (https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonbedrock.html).
// Where DenyChanges is in force, an administrator is to be in Account.Administrators, too.
func GuardrailAdmin(s *Spec) ([]Document, error) {
	tag := s.acct.Resources.AdminTag
	if tag.Key == "" {
		return nil, nil
	}
	tagged := when("StringEquals", "aws:PrincipalTag/"+tag.Key, tag.Value)
	here := tagged.and(when("StringEquals", keyRegion, s.region))
	return fit(Document{
		Name: "guardrail-admin", Kind: KindManaged,
		Purpose: "Lets principals with the tag " + tag.Key + "=" + tag.Value + " manage guardrails and the enforced configuration in " + s.region + ".",
		Attach:  "to the roles of the guardrail administrators",
		Statements: []Statement{
			{
				Sid: "ChangeGuardrails", Effect: Allow,
				Action: []string{
					applyGuardrail, "bedrock:CreateGuardrailVersion", "bedrock:DeleteGuardrail", "bedrock:DeleteResourcePolicy",
					"bedrock:GetGuardrail", "bedrock:GetResourcePolicy", "bedrock:ListTagsForResource", "bedrock:PutResourcePolicy",
					"bedrock:TagResource", "bedrock:UntagResource", "bedrock:UpdateGuardrail",
				},
				// A guardrail that works across regions is authorized on its profile, too.
				Resource:  []string{s.arn("guardrail-profile/*"), s.arn("guardrail/*")},
				Condition: tagged,
			},
			{
				Sid: "CreateAndEnforceGuardrails", Effect: Allow,
				Action: []string{
					"bedrock:CreateGuardrail", "bedrock:DeleteEnforcedGuardrailConfiguration", "bedrock:ListEnforcedGuardrailsConfiguration",
					"bedrock:ListGuardrails", "bedrock:PutEnforcedGuardrailConfiguration",
				},
				Resource:  []string{"*"},
				Condition: here,
			},
		},
	})
}
