package policy

// AgentCaller lets a caller ask the agents of Account.Resources by the aliases that are
// named, and by no other: an alias stands for a version, whereas TSTALIASID stands for the
// working draft. It is attached to the roles that call. The client has no such rule.
//
// An agent calls its models with its own service role, and applies the guardrail of
// its own configuration. InvokeAgent carries no guardrail key.
// https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-permissions-id.html
func AgentCaller(s *Spec) ([]Document, error) {
	var aliases, keys, agents []string
	for i := range s.acct.Resources.Agents {
		a := &s.acct.Resources.Agents[i]
		for _, alias := range a.Aliases {
			aliases = append(aliases, s.arn("agent-alias/"+a.ID+"/"+alias))
		}
		if a.Key != "" && len(a.Aliases) > 0 {
			keys, agents = append(keys, a.Key), append(agents, s.arn("agent/"+a.ID))
		}
	}
	if len(aliases) == 0 {
		return nil, nil
	}
	d := Document{
		Name: "agent-caller", Kind: KindManaged,
		Purpose: "Lets a caller ask these agents by these aliases.",
		Attach:  "to the roles of the callers",
		Statements: []Statement{{
			Sid: "AskAgents", Effect: Allow,
			Action:   []string{"bedrock:InvokeAgent"},
			Resource: sortedSet(aliases),
		}},
	}
	if len(keys) > 0 {
		// https://docs.aws.amazon.com/bedrock/latest/userguide/cmk-agent-resources.html
		d.Statements = append(d.Statements, Statement{
			Sid: "UseKeysOfAgents", Effect: Allow,
			Action:    []string{"kms:Decrypt", "kms:GenerateDataKey"},
			Resource:  sortedSet(keys),
			Condition: when("StringEquals", agentContext, sortedSet(agents)...),
		})
	}
	return fit(d)
}

// agentContext holds the ARN of the agent whose data a KMS call is about.
const agentContext = "kms:EncryptionContext:aws:bedrock:arn"
