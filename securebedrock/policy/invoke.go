package policy

import (
	"fmt"
	"slices"
	"strings"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Invoke is the identity policy of a role that makes the client's calls and no others: the
// models of Options.Models with the guardrail in its version, ApplyGuardrail on that
// guardrail, CountTokens on the models, and what Options.Profiles asks of Bedrock. Attach
// the documents to the role that signs the calls. A policy of one attachment that would be
// too large is written shorter or, by its statements, in several documents.
//
// A foundation model's ARN alone does not admit an inference profile. A profile is
// authorized on its own ARN in the account and on the model in each region to which it can
// send the prompt
// (https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html).
func Invoke(s *Spec) ([]Document, error) {
	return s.identity(Document{
		Name:    "invoke",
		Kind:    KindManaged,
		Purpose: "Lets a role call the models of Options.Models with the guardrail, and make the client's other calls.",
		Attach:  "to the role that signs the client's calls",
		Mirrors: "ErrModel, ErrResidency, ErrGuardrailRequired",
	}, s.models)
}

// InvokeAny is Invoke for every model that Region and Residency permit, whatever
// Options.Models are. All leaves InvokeAny out: where Options.Models are empty, Invoke
// says the same.
func InvokeAny(s *Spec) ([]Document, error) {
	return s.identity(Document{
		Name:    "invoke-any",
		Kind:    KindManaged,
		Purpose: "Lets a role call every model that Region and Residency permit with the guardrail, and make the client's other calls.",
		Attach:  "to a role that may call any model, such as that of a test bench",
		Mirrors: "ErrResidency, ErrGuardrailRequired",
	}, s.every)
}

// identity writes the documents as they are best read, and shorter where that does not
// fit into one.
func (s *Spec) identity(d Document, models []allowed) ([]Document, error) {
	d.Purpose += s.relaxations()
	for short := spelledOut; ; short++ {
		d.Statements = s.statements(models, short)
		docs, err := fit(d)
		if err == nil && len(docs) == 1 || short == shortProfiles {
			return docs, err
		}
	}
}

// relaxations says what Options give up, with the reason.
func (s *Spec) relaxations() string {
	var b strings.Builder
	if s.opts.Unguarded != "" {
		fmt.Fprintf(&b, " No guardrail is demanded: %s.", strings.TrimSuffix(s.opts.Unguarded, "."))
		return b.String()
	}
	for op, reason := range sorted(s.opts.UnguardedOperations) {
		fmt.Fprintf(&b, " %s carries no guardrail and authorizes as InvokeModel, so that InvokeModel passes without one: %s.", op, strings.TrimSuffix(reason, "."))
	}
	for id, reason := range sorted(s.acct.Unguardable) {
		fmt.Fprintf(&b, " %s takes no guardrail: %s.", id, strings.TrimSuffix(reason, "."))
	}
	return b.String()
}

// statements allow the client's calls.
func (s *Spec) statements(models []allowed, short shortness) []Statement {
	guarded, free := s.parted(models)
	var direct Condition
	if _, abbreviated := s.profileARNs(models, short); abbreviated {
		// A profile that a pattern reaches and that is not meant must find its model
		// closed, also in the region where the model may be called by its own ID.
		direct = when("Null", keyProfile, "true")
	}
	var list []Statement
	for _, v := range s.variants() {
		list = append(list, s.invocations(guarded, v, direct, short)...)
	}
	list = append(list, s.invocations(free, variant{name: "Unguarded", actions: modelActions()}, direct, short)...)
	return append(list, s.others(models, short)...)
}

// invocations allow what runs a model. direct is demanded of a model that the call names
// itself.
func (s *Spec) invocations(models []allowed, v variant, direct Condition, short shortness) []Statement {
	var list []Statement
	allow := func(sid string, condition Condition, resources ...string) {
		if len(resources) > 0 {
			list = append(list, Statement{Sid: sid + v.name, Effect: Allow, Action: v.actions, Resource: resources, Condition: v.condition.and(condition)})
		}
	}
	allow("Models", direct, s.directARNs(models)...)
	// A prompt reaches another region through an inference profile only, and nobody else may
	// call the model there.
	allow("PromptModels", when("Null", keyProfile, "false"), s.awayARNs(models)...)
	profiles, _ := s.profileARNs(models, short)
	allow("Profiles", nil, profiles...)
	n := 0
	for _, g := range s.legs(models) {
		for _, l := range g.write(s, short) {
			n++
			allow(fmt.Sprintf("ProfileModels%d", n), l.condition, l.resources...)
		}
	}
	return list
}

// directARNs are the resources that a call names itself, or a prompt for it.
func (s *Spec) directARNs(models []allowed) []string {
	var list []string
	for _, a := range models {
		switch {
		case a.kind == securebedrock.KindMarketplaceEndpoint:
			// InvokeModel is authorized on this one ARN, and SageMaker authorizes the
			// endpoint itself (others).
			list = append(list, s.arn("marketplace/model-endpoint/all-access"))
		case a.resource != "":
			list = append(list, a.resource)
		case a.profile == "", a.kind == securebedrock.KindPrompt && a.runsIn(s.region):
			list = append(list, s.modelARNs(s.region, a.models)...)
		}
	}
	return distinct(list)
}

// awayARNs are the models of prompts in other regions.
func (s *Spec) awayARNs(models []allowed) []string {
	var list []string
	for _, a := range models {
		for _, r := range a.destinations {
			if a.kind == securebedrock.KindPrompt && r != s.region {
				list = append(list, s.modelARNs(r, a.models)...)
			}
		}
	}
	return distinct(list)
}

// runsIn reports whether a region is one of the destinations.
func (a allowed) runsIn(region string) bool {
	return slices.Contains(a.destinations, region) || slices.Contains(a.destinations, regions.Anywhere)
}

// profileARNs are the profiles and routers, and whether a pattern stands for some.
func (s *Spec) profileARNs(models []allowed, short shortness) (list []string, abbreviated bool) {
	patterns := make(map[string]bool)
	if short >= shortProfiles {
		for _, g := range s.legs(models) {
			patterns[g.pattern] = len(g.ties) > 1
		}
	}
	for _, a := range models {
		if a.profile == "" || a.kind == securebedrock.KindPrompt {
			continue
		}
		arn := a.profile
		if prefix, ok := a.systemPrefix(); ok && patterns[prefix+".*"] {
			arn, abbreviated = prefix+".*", true
		}
		list = append(list, arn)
	}
	return distinct(list), abbreviated
}

// others allow the calls that run no model, and what Bedrock does in the caller's name.
func (s *Spec) others(models []allowed, short shortness) []Statement {
	var list []Statement
	allow := func(sid string, actions []string, condition Condition, resources ...string) {
		if len(resources) > 0 {
			list = append(list, Statement{Sid: sid, Effect: Allow, Action: actions, Resource: distinct(resources), Condition: condition})
		}
	}
	// CountTokens takes a foundation model and no profile (API_runtime_CountTokens).
	var counted, resolved, routers, prompts, endpoints []string
	for _, a := range models {
		switch {
		case a.kind == securebedrock.KindFoundationModel:
			counted = append(counted, s.modelARNs(s.region, a.models)...)
		case a.kind == securebedrock.KindPromptRouter:
			routers = append(routers, a.profile)
		case a.kind == securebedrock.KindPrompt:
			prompts = append(prompts, a.profile)
		case strings.Contains(a.resource, ":sagemaker:"):
			endpoints = append(endpoints, a.resource)
		}
	}
	guardrails := s.guardrailResources()
	if s.guardrail == "" {
		// The client lets any guardrail of the account and of Options.Accounts be applied. One
		// that is named by its ID is of the account.
		for _, account := range append([]string{s.account}, s.opts.Accounts...) {
			guardrails = append(guardrails, "arn:"+s.partition+":bedrock:"+s.region+":"+account+":guardrail/*")
		}
	}
	allow("ApplyGuardrail", []string{applyGuardrail}, nil, append(guardrails, s.enforcedHere()...)...)
	// InvokeGuardrailChecks takes no resource.
	allow("GuardrailChecks", []string{"bedrock:InvokeGuardrailChecks"}, when("StringEquals", keyRegion, s.region), "*")
	allow("CountTokens", []string{"bedrock:CountTokens"}, nil, counted...)
	if key := s.acct.Resources.GuardrailKey.ARN; key != "" {
		// A caller decrypts a guardrail with a key of the account
		// (Bedrock User Guide, guardrails-permissions-kms), through Bedrock and not by itself.
		allow("GuardrailKey", []string{"kms:Decrypt"}, viaService("bedrock", s.region), key)
	}
	if key := s.acct.Resources.ModelKey.ARN; key != "" {
		// So does a caller of a custom model (Bedrock User Guide, encryption-custom-job).
		allow("ModelKey", []string{"kms:Decrypt"}, viaService("bedrock", s.region), key)
	}
	if s.opts.Profiles != nil {
		profiles, _ := s.profileARNs(models, short)
		resolved = slices.DeleteFunc(profiles, func(arn string) bool { return slices.Contains(routers, arn) })
		allow("ResolveProfiles", []string{"bedrock:GetInferenceProfile"}, nil, resolved...)
		allow("ResolveRouters", []string{"bedrock:GetPromptRouter"}, nil, routers...)
		allow("ResolvePrompts", []string{"bedrock:GetPrompt"}, nil, prompts...)
	}
	allow("Prompts", []string{"bedrock:RenderPrompt"}, nil, prompts...)
	allow("Endpoints", []string{"sagemaker:InvokeEndpoint", "sagemaker:InvokeEndpointWithResponseStream"},
		when("StringEquals", "aws:CalledViaLast", "bedrock.amazonaws.com"), endpoints...)
	allow("InputBuckets", []string{"s3:GetObject"}, s.ownBuckets(), s.objects(s.acct.InputBuckets)...)
	if _, excused := s.opts.UnguardedOperations["StartAsyncInvoke"]; excused || s.opts.Unguarded != "" {
		allow("Invocations", []string{"bedrock:GetAsyncInvoke", invokeModel}, nil, s.arn("async-invoke/*"))
		allow("OutputBuckets", []string{"s3:PutObject"}, s.ownBuckets(), s.objects(s.acct.OutputBuckets)...)
		allow("ListInvocations", []string{"bedrock:ListAsyncInvokes"}, when("StringEquals", keyRegion, s.region), "*")
	}
	return list
}

// objects are the ARNs of all objects of buckets.
func (s *Spec) objects(buckets []string) []string {
	var list []string
	for _, b := range buckets {
		list = append(list, s.bucketARN(b, "*"))
	}
	return list
}

// ownBuckets keeps a bucket's name to the accounts of Options: a name that was given up can
// be taken by somebody else.
func (s *Spec) ownBuckets() Condition {
	return when("StringEquals", "s3:ResourceAccount", s.accounts()...)
}
