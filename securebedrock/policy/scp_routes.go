package policy

// DenyUnguardedRoutes denies the routes to a model whose authorization has no guardrail key, so
// that RequireGuardrail cannot judge them: Mantle and batch jobs, and with agents also
// agents, flows and the generating side of knowledge bases. It is attached to the
// account or to its organisational unit, and mirrors ErrUnguardedOperation. Where Options
// are Unguarded, there is no such document.
//
// Batch jobs pass where Account.ExceptPrincipals spare their role, Resources.BatchRole.
//
// RetrieveAndGenerateStream authorizes as RetrieveAndGenerate. Retrieve stays open, since
// it generates nothing. AgentCore's runtimes and evaluation jobs call models with a role
// of the account, which RequireGuardrail judges. Data automation stays open: its actions
// name a project and no model.
// https://docs.aws.amazon.com/service-authorization/latest/reference/list_bedrock-mantle.html
func DenyUnguardedRoutes(s *Spec, agents bool) ([]Document, error) {
	if s.guardrail == "" {
		return nil, nil
	}
	statements := []Statement{{
		Sid:      "DenyMantleAndBatch",
		Effect:   Deny,
		Action:   []string{"bedrock-mantle:CreateInference", "bedrock:CreateModelInvocationJob"},
		Resource: []string{"*"},
	}}
	purpose := "Denies the routes to a model on which IAM sees no guardrail: Mantle and batch jobs"
	if reason, spared := s.sparedBatch(); spared {
		statements[0].Sid, statements[0].Action = "DenyMantle", statements[0].Action[:1]
		purpose = "Batch jobs pass (" + reason + "). Denies the other routes to a model on which IAM sees no guardrail: Mantle"
	}
	if agents {
		purpose += ", agents, flows and generation from knowledge bases"
		statements = append(statements, Statement{
			Sid:    "DenyAgentsAndFlows",
			Effect: Deny,
			Action: []string{
				"bedrock:AgenticRetrieveStream", "bedrock:GenerateQuery", "bedrock:InvokeAgent", "bedrock:InvokeFlow",
				"bedrock:InvokeInlineAgent", "bedrock:OptimizePrompt", "bedrock:RetrieveAndGenerate", "bedrock:StartFlowExecution",
			},
			Resource: []string{"*"},
		})
	}
	return denial("scp-guarded-routes", purpose+".", "ErrUnguardedOperation", statements...)
}

// sparedBatch is the reason for batch jobs, whose role the guardrail rule spares.
func (s *Spec) sparedBatch() (reason string, spared bool) {
	reason, spared = s.acct.ExceptPrincipals[s.acct.Resources.BatchRole]
	return reason, spared
}
