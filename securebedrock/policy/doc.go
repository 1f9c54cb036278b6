// Package policy writes IAM, service control, VPC endpoint, KMS and trust policies from
// the very securebedrock.Options that a client runs on.
//
// # What policies for Bedrock often get wrong
//
// Published examples share these mistakes. TestWhereTheArticleIsWrong shows each of the
// first ten against the document of this package.
//
//   - bedrock:GuardrailArn is no condition key. A Deny on it denies every call, the one
//     with the guardrail included. The key is bedrock:GuardrailIdentifier.
//   - Null on that key asks whether a guardrail is there. Any lax guardrail of the account
//     passes. RequireGuardrail compares the value: ARN and version.
//   - A Deny of bedrock:InvokeModel alone leaves bedrock:InvokeModelWithResponseStream open.
//   - bedrock:Converse is no action. Converse authorizes as InvokeModel, ConverseStream as
//     InvokeModelWithResponseStream.
//   - A rule that takes DRAFT takes whatever somebody makes of the draft. For refuses
//     DRAFT.
//   - A guardrail rule on every resource stops embedding models, which take no guardrail.
//     Account.Unguardable names them.
//   - A region rule on bedrock:* leaves bedrock-mantle open, and with the source region
//     alone it stops an inference profile in its other regions. DenyRegions has every
//     prefix and every destination.
//   - Foundation models alone stop inference profiles, in the identity policy and in the
//     endpoint's policy: a profile is authorized on its own ARN, too.
//   - An endpoint policy with the two invoke actions shuts out CountTokens and
//     ApplyGuardrail, and with ApplyGuardrail every call once a guardrail is enforced.
//   - bedrock:RetrieveAndGenerate takes no resource. A statement with a knowledge base's ARN
//     never allows it.
//   - A trust policy with a service principal and neither aws:SourceAccount nor
//     aws:SourceArn lets the service act for another account.
//   - CloudTrail's basic event selectors know no resource of Bedrock. Data events need
//     advanced selectors.
package policy
