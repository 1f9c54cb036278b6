package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Authorization is one thing that AWS checks for a call.
type Authorization struct {
	Action, Resource string
	// Region is aws:RequestedRegion, which an AccessDenied names: a destination of an
	// inference profile, or "unspecified" for the leg of a global profile.
	Region string
	// Why says what the authorization is for.
	Why     string
	Request Request

	// Decision is that of the Spec's own documents. Undecided says why there is none; it
	// is empty where there is one.
	Decision  Decision
	Undecided string
}

// String tells the authorization in one line.
func (a Authorization) String() string {
	verdict := "allowed"
	reason := a.Decision.Reason
	switch {
	case a.Undecided != "":
		verdict, reason = "undecided", a.Undecided
	case !a.Decision.Allowed:
		verdict = "denied"
	}
	return fmt.Sprintf("%s: %s on %s in %s (%s): %s", verdict, a.Action, a.Resource, a.Region, a.Why, reason)
}

// Explain lists every authorization that AWS makes for one call of the client, in their
// order, each with its decision by the Spec's documents: Invoke, Options.Role.Policy or
// otherwise Session where it fits, the service control policies or their twins, and the
// endpoint's policy where the call goes through one. It is the answer to an AccessDenied
// that names a region nobody asked for: an inference profile is authorized on itself in
// Options.Region and on the model in every destination, with the destination as
// aws:RequestedRegion
// (https://docs.aws.amazon.com/bedrock/latest/userguide/geographic-cross-region-inference.html).
//
// A call that the client would refuse is an error that wraps the client's rule, such as
// securebedrock.ErrResidency: no request of it reaches AWS.
//
// The destinations are those of the client's table and of Account.ProfileModels.
// Options.Profiles is not asked, which needs the network; it can know fewer. What the
// contents of a call make AWS check is not listed: S3 objects that a message or an
// asynchronous invocation names. Key policies and trust policies are not evaluated.
func Explain(s *Spec, c Call) ([]Authorization, error) {
	op, ok := operationOf(c.Operation)
	if !ok {
		return nil, badCall("Operation", c.Operation, "is no operation of the client; use one such as Converse, ConverseStream or InvokeModel")
	}
	e := &explanation{spec: s, call: c, op: op, principal: c.Principal}
	if e.principal == "" {
		e.principal = s.serviceARN("iam", "", "root")
		if s.opts.Role != nil {
			e.principal = s.opts.Role.ARN
		}
	}
	models, err := s.called(c, op)
	if err != nil {
		return nil, err
	}
	e.role()
	e.resolve(models)
	for _, a := range models {
		e.invoke(a)
	}
	e.others()
	e.guardrail()
	e.keys(models)
	return e.list, e.decide()
}

// explanation is what Explain collects.
type explanation struct {
	spec      *Spec
	call      Call
	op        operation
	principal string
	list      []Authorization
}

// add notes an authorization in a region. context are keys and values in turn.
func (e *explanation) add(why, action, resource, region string, context ...string) *Authorization {
	r := Request{
		Principal: e.principal,
		Action:    action,
		Resource:  resource,
		Context:   map[string][]string{keyRegion: {region}, "aws:SecureTransport": {"true"}},
	}
	if role := e.spec.opts.Role; role != nil {
		if role.SourceIdentity != "" {
			r.Context["aws:SourceIdentity"] = []string{role.SourceIdentity}
		}
		for key, value := range role.Tags {
			r.Context["aws:PrincipalTag/"+key] = []string{value}
		}
	}
	if id := e.spec.acct.Organization; id != "" {
		r.Context["aws:PrincipalOrgID"] = []string{id}
	}
	for i := 0; i+1 < len(context); i += 2 {
		r.Context[context[i]] = []string{context[i+1]}
	}
	e.list = append(e.list, Authorization{Action: action, Resource: resource, Region: region, Why: why, Request: r})
	return &e.list[len(e.list)-1]
}

// role notes what STS checks before the first call.
func (e *explanation) role() {
	role := e.spec.opts.Role
	if role == nil {
		return
	}
	actions := []string{"sts:AssumeRole"}
	if len(role.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if role.SourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	for _, action := range actions {
		a := e.add("the session of Options.Role, once per session", action, role.ARN, e.spec.region)
		a.Undecided = "the role's trust policy decides, with the identity policy of whoever assumes the role"
	}
}

// resolve notes what Options.Profiles asks of Bedrock before the call.
func (e *explanation) resolve(models []allowed) {
	if e.spec.opts.Profiles == nil {
		return
	}
	seen := ""
	for _, a := range models {
		if a.profile == "" || a.profile == seen {
			continue
		}
		seen = a.profile
		action := "bedrock:GetInferenceProfile"
		switch a.kind {
		case securebedrock.KindPromptRouter:
			action = "bedrock:GetPromptRouter"
		case securebedrock.KindPrompt:
			action = "bedrock:GetPrompt"
		}
		e.add("Options.Profiles asks where it runs", action, a.profile, e.spec.region)
	}
}

// invoke notes what runs a model, or counts its tokens.
func (e *explanation) invoke(a allowed) {
	s, action := e.spec, e.op.action
	var context []string
	if e.op.guarded && s.guardrail != "" {
		context = []string{keyGuardrail, s.guardrail + ":" + s.version}
	}
	switch {
	case a.kind == securebedrock.KindMarketplaceEndpoint:
		e.add("the marketplace endpoint, which Bedrock authorizes as one ARN", action, s.arn("marketplace/model-endpoint/all-access"), s.region, context...)
		if strings.Contains(a.resource, ":sagemaker:") {
			invoke := "sagemaker:InvokeEndpoint"
			if action == invokeModelStream {
				invoke += "WithResponseStream"
			}
			e.add("the endpoint itself, which Bedrock calls in the caller's name", invoke, a.resource, s.region, "aws:CalledViaLast", "bedrock.amazonaws.com")
		}
	case a.resource != "":
		e.add("the model", action, a.resource, s.region, context...)
	case a.profile == "":
		for _, m := range a.models {
			e.add("the model", action, s.modelARNs(s.region, []string{m})[0], s.region, context...)
		}
	case a.kind == securebedrock.KindPrompt:
		e.once("the managed prompt", "bedrock:RenderPrompt", a.profile, s.region)
		for _, m := range a.models {
			for _, r := range a.destinations {
				with := slices.Clone(context)
				if r != s.region { // there through a profile, which Account does not name
					with = append(with, keyProfile, s.arn("inference-profile/*"))
				}
				e.add("the prompt's model", action, s.modelARNs(r, []string{m})[0], r, with...)
			}
		}
	default:
		e.profile(a, context)
	}
}

// profile notes an inference profile or a prompt router, and its legs.
func (e *explanation) profile(a allowed, context []string) {
	s, action := e.spec, e.op.action
	what, tie := "inference profile", keyProfile
	if a.kind == securebedrock.KindPromptRouter {
		what, tie = "prompt router", keyRouter
	}
	e.once("the "+what+", in the region that is called", action, a.profile, s.region, context...)
	if action == "bedrock:CountTokens" {
		return // authorized on what the call names; it takes no profile (API_runtime_CountTokens)
	}
	leg := func(why, model, place, region string) {
		e.add(why, action, s.modelARNs(place, []string{model})[0], region, append(slices.Clone(context), tie, a.profile)...)
	}
	for _, m := range a.models {
		for _, r := range a.destinations {
			switch {
			case r != regions.Anywhere && r == s.region:
				leg("the model in the region that is called", m, r, r)
			case r != regions.Anywhere:
				leg("the model in a region to which the "+what+" can send the prompt", m, r, r)
			default:
				// Bedrock User Guide, global-cross-region-inference.
				leg("the model in the region that is called", m, s.region, s.region)
				leg("the model in whichever region the global "+what+" chooses", m, "", unspecified)
			}
		}
	}
}

// once notes an authorization unless the same is there.
func (e *explanation) once(why, action, resource, region string, context ...string) {
	for i := range e.list {
		if e.list[i].Action == action && e.list[i].Resource == resource && e.list[i].Region == region {
			return
		}
	}
	e.add(why, action, resource, region, context...)
}

// others notes an operation without a model.
func (e *explanation) others() {
	if e.op.resource != nil {
		e.add("the operation itself", e.op.action, e.op.resource(e.spec), e.spec.region)
	}
}

// guardrail notes the guardrail of a guarded call, and the one that the organisation
// enforces: every caller needs ApplyGuardrail on both (Bedrock User Guide,
// guardrails-permissions and guardrails-enforcements).
func (e *explanation) guardrail() {
	s := e.spec
	if e.op.guarded && s.guardrail != "" || e.op.name == "ApplyGuardrail" {
		for _, arn := range s.guardrailResources() {
			if a, _ := regions.ParseARN(arn); a.Region != regions.Anywhere { // a profile for everywhere does not say where it runs
				e.once("the guardrail of the call", applyGuardrail, arn, a.Region)
			}
		}
	}
	if !e.op.guarded {
		return
	}
	for _, arn := range s.enforcedHere() {
		e.once("the guardrail that the organisation enforces", applyGuardrail, arn, s.region)
	}
}

// keys notes the KMS keys behind the guardrail and behind a custom model. Bedrock uses a
// key in the caller's name (Bedrock User Guide, guardrails-permissions-kms and
// encryption-custom-job).
func (e *explanation) keys(models []allowed) {
	s := e.spec
	decrypt := func(why, key string) {
		e.add(why+"; the key's policy must allow it, too", "kms:Decrypt", key, s.region,
			"kms:ViaService", regionalHost("bedrock", s.region))
	}
	applied := e.op.guarded || e.op.name == "ApplyGuardrail"
	if key := s.acct.Resources.GuardrailKey.ARN; key != "" && s.guardrail != "" && applied {
		decrypt("the key that encrypts the guardrail", key)
	}
	key := s.acct.Resources.ModelKey.ARN
	if key == "" || !e.op.infers {
		return
	}
	for _, a := range models {
		switch a.kind {
		case securebedrock.KindCustomModelDeployment, securebedrock.KindProvisionedModel, securebedrock.KindImportedModel:
			decrypt("the key that encrypts the custom model", key)
			return
		}
	}
}

// decide asks the Spec's documents about each authorization.
func (e *explanation) decide() error {
	docs, err := e.spec.callDocuments()
	if err != nil {
		return err
	}
	endpoint := make(map[string][]Document)
	for i := range e.list {
		a := &e.list[i]
		if a.Undecided != "" {
			continue
		}
		around := docs
		if service := e.passes(a.Action); service == "" {
			a.Request.ThroughEndpoint = false
		} else {
			if _, known := endpoint[service]; !known {
				if endpoint[service], err = EndpointPolicy(e.spec, service); err != nil {
					return err
				}
			}
			a.Request.ThroughEndpoint = true
			around = append(slices.Clip(docs), endpoint[service]...)
		}
		if a.Decision, err = Decide(around, a.Request); err != nil {
			return err
		}
	}
	return nil
}

// passes names the service whose endpoint policy an action meets; empty where it meets
// none. Bedrock asks KMS and SageMaker from outside of the VPC. Prompts are read through an
// endpoint for which the Spec has no policy.
func (e *explanation) passes(action string) string {
	_, isBedrock := strings.CutPrefix(action, "bedrock:")
	switch {
	case !isBedrock, action == "bedrock:GetPrompt":
	case action == "bedrock:GetInferenceProfile", action == "bedrock:GetPromptRouter":
		if e.call.ThroughEndpoint {
			return "bedrock"
		}
	case e.call.ThroughEndpoint || e.spec.opts.Endpoint.URL != "":
		return "bedrock-runtime"
	}
	return ""
}

// callDocuments are the documents under which the role of a client lives, without those of
// the endpoints.
func (s *Spec) callDocuments() ([]Document, error) {
	var all []Document
	list := []builder{Invoke, ownSession}
	for _, scp := range denials() {
		list = append(list, placed(scp))
	}
	for _, build := range list {
		docs, err := build(s)
		if err != nil {
			return nil, err
		}
		all = append(all, docs...)
	}
	return all, nil
}

// ownSession is Options.Role.Policy where there is one, as WithSession leaves it, and
// otherwise what WithSession would write. WithSession writes none that STS would refuse.
func ownSession(s *Spec) ([]Document, error) {
	if s.opts.Role == nil {
		return nil, nil
	}
	if s.opts.Role.Policy != "" {
		d, err := Parse([]byte(s.opts.Role.Policy), KindSession)
		if err != nil {
			return nil, fmt.Errorf("policy: Options.Role.Policy: %w", err)
		}
		d.Name = "Role.Policy"
		return []Document{d}, nil
	}
	docs, err := session(s)
	var tooLarge *SizeError
	if errors.As(err, &tooLarge) {
		return nil, nil
	}
	return docs, err
}
