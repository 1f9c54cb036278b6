package policy

// The actions that several documents name. Converse, StartAsyncInvoke and
// InvokeModelWithBidirectionalStream have none of their own: they authorize as
// InvokeModel, and ConverseStream as InvokeModelWithResponseStream
// (API_runtime_Converse, API_runtime_StartAsyncInvoke,
// API_runtime_InvokeModelWithBidirectionalStream).
const (
	invokeModel       = "bedrock:InvokeModel"
	invokeModelStream = "bedrock:InvokeModelWithResponseStream"
	applyGuardrail    = "bedrock:ApplyGuardrail"
)

// The condition keys that several documents name.
const (
	keyGuardrail = "bedrock:GuardrailIdentifier"
	keyProfile   = "bedrock:InferenceProfileArn"
	keyRouter    = "bedrock:PromptRouterArn"
	keyRegion    = "aws:RequestedRegion"
	keyPrincipal = "aws:PrincipalArn"
	keyAccount   = "aws:PrincipalAccount"
)

// modelActions are the two actions that run a model.
func modelActions() []string { return []string{invokeModel, invokeModelStream} }

// bedrockActions are all actions of all service prefixes that belong to Bedrock
// (Service Authorization Reference: list_bedrock, list_bedrock-agentcore,
// list_bedrock-mantle; bedrock-websearch by IAM's published data of 2026-09). An action
// cannot have a wildcard in its prefix, so that each prefix stands by itself.
func bedrockActions() []string {
	return []string{"bedrock:*", "bedrock-agentcore:*", "bedrock-mantle:*", "bedrock-websearch:*"}
}
