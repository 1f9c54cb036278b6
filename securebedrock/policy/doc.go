// Package policy writes IAM, service control, VPC endpoint, KMS and trust policies from
// the very securebedrock.Options that a client runs on.
//
// A guarded client holds its own process to its Options. Another program in the account can
// call Bedrock past the client. The documents of this package hold the account to the same
// Options, and their tests hold them against the client.
//
// # Quick start
//
// [For] checks the Options and the [Account] under them. [WriteDir] writes every document
// into a folder, with a page that says of each what it is for and where it is attached.
//
//	spec, err := policy.For(opts, policy.Account{ID: "111122223333"})
//	if err != nil {
//		return err
//	}
//	return policy.WriteDir("policies", spec)
//
// [All] returns the documents as values, and each document has a function of its own, such
// as [RequireGuardrail]. [WithSession] limits the client's own credentials. [Decide] says
// which statement lets a request through or stops it, and [Explain] lists all that AWS
// checks for one call. [Parse], [Lint] and [Diff] judge a policy that exists.
//
// Nothing here calls AWS. What Options cannot tell is a field of Account and never a guess.
// A fault of either wraps securebedrock.ErrConfig and names its field. ErrUnsupported says
// that something is not understood, which is never a verdict.
//
// # What IAM cannot see
//
// The identity policy and the session policy admit what the client admits, as far as IAM
// can tell. In these points they differ. The client is the stricter one in most of them.
//
//   - Whether the caller wrote a model's ID or its ARN. Options.Models compare the text; IAM
//     compares the resource.
//   - Which operation it is. Converse, InvokeModel, StartAsyncInvoke and
//     InvokeModelWithBidirectionalStream are one action. Where UnguardedOperations excuse
//     one of the last two, IAM lets InvokeModel pass without a guardrail; another guardrail
//     than that of Options stays closed.
//   - Whether the guardrail covers the prompt, what the trace is, and how a stream is
//     scanned. IAM sees the guardrail and its version.
//   - The body: MaxTokens, tags in InvokeModel, where a document of a bucket comes from.
//   - Where an inference profile runs. AWS authorizes the profile and each leg; the client
//     asks its table or Options.Profiles beforehand. With "*" in Residency and no Models,
//     IAM leaves the destinations to the profile.
//   - The model behind a managed prompt. It is called as if by its own ID, so that IAM
//     admits that ID, too.
//   - An unguardable model. The client attaches the guardrail to every call; IAM lets the
//     calls of Account.Unguardable pass without.
//   - ApplyGuardrail in which version: the action knows the guardrail only.
//   - The form of a short policy. A policy of many models names the profiles of a geography
//     by a pattern, and closes the legs of those that are not meant. A call needs both.
//
// IAM is stricter in these:
//
//   - An ID whose first word is no provider and no prefix, a marketplace endpoint, an
//     application profile, a prompt and a prompt router are admitted only where
//     Options.Models or Account.ProfileModels name them.
//   - A resource of another account only where Options.Accounts have it.
//   - GetAsyncInvoke and ListAsyncInvokes only where StartAsyncInvoke may start an invocation.
//   - CountTokens takes foundation models by their own ID
//     (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_CountTokens.html).
//   - An object in a bucket only where Account.InputBuckets or OutputBuckets have the bucket.
//   - A system tool of a model, such as web grounding, is closed.
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
//
// # Sizes
//
// Document.Size counts as AWS does for the kind, and Document.Limit is what AWS accepts:
// characters without white space for a managed policy or a boundary (6,144), an inline
// policy (10,240) and a trust policy (2,048); characters with white space for a session
// policy (2,048), a service control policy (10,240), a declarative policy (10,000) and an
// endpoint policy (20,480); bytes for a key policy (32,768) and a bucket policy (20,480).
//
// A document that is too large is first written shorter, in a form that admits the same
// calls: "*" for the region under a list in aws:RequestedRegion, and one pattern for the
// profiles of a geography. A document of a kind that can be attached more than once is then
// split by its statements. Otherwise the error is a [*SizeError]. Nothing is widened.
package policy
