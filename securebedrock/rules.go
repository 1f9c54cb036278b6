package securebedrock

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// rules lists the rules in their order. A new rule is one function in this list.
func rules() []rule {
	return []rule{
		operationRule,
		modelRule,
		callModelsRule,
		residencyRule,
		guardrailARNRule,
		guardrailRule,
		coverageRule,
		applyGuardrailRule,
		invocationRule,
		locationRule,
		defaultsRule,
	}
}

// judge applies every rule to an input, and stops at the first that refuses.
func (rs *ruleset) judge(ctx context.Context, j judgement, in any) error {
	for _, r := range rs.rules {
		if err := r(ctx, rs, j, in); err != nil {
			return err
		}
	}
	return nil
}

// operationRule refuses an operation that runs inference without a guardrail,
// unless a reason is on record.
func operationRule(_ context.Context, rs *ruleset, j judgement, _ any) error {
	if j.op.guarded || !j.op.infers || j.unguarded != "" {
		return nil
	}
	return refuse(ErrUnguardedOperation, fmt.Sprintf(
		"%s runs a model on content that no guardrail sees; give the reason for wanting it in Options.UnguardedOperations[%q]",
		j.op.name, j.op.name))
}

// modelRule pins the copy of the identifier that was checked.
func modelRule(ctx context.Context, rs *ruleset, j judgement, in any) error {
	field := j.op.modelOf(in)
	if field == nil {
		if j.op.infers {
			return j.op.foreign(in)
		}
		return nil
	}
	id := aws.ToString(*field)
	*field = &id
	m, err := rs.model(ctx, id)
	*j.model = m
	return err
}

// model parses an identifier and applies the ARN's own region and account and the
// allow-list. It fills in the destinations where they are known without a resolver,
// which may need the network.
func (rs *ruleset) model(ctx context.Context, id string) (Model, error) {
	if m, ok := rs.known.get(id); ok {
		return m, nil
	}
	m, err := rs.admitted(id)
	if err == nil && rs.profiles == nil {
		m.Regions, _ = rs.destinations(ctx, m)
	}
	if err == nil {
		rs.known.put(m)
	}
	return m, err
}

func (rs *ruleset) admitted(id string) (Model, error) {
	m, err := parseModel(id)
	if err != nil {
		return m, err
	}
	if m.Region != "" {
		if err := rs.home("the ARN", m.partition, m.Region, m.Account); err != nil {
			return m, err
		}
	}
	if len(rs.models) > 0 && !slices.ContainsFunc(rs.models, func(p string) bool { return matchPattern(p, id) }) {
		return m, refuse(ErrModel, refusal.Quoted(id)+" is not in Options.Models, which are compared with the identifier as the caller writes it; name a model that is, or permit this one there")
	}
	return m, nil
}

// callModelsRule applies WithModels.
func callModelsRule(ctx context.Context, _ *ruleset, j judgement, in any) error {
	if j.op.modelOf(in) == nil || callModelsOf(ctx).admit(j.model.ID) {
		return nil
	}
	return refuse(ErrModel, refusal.Quoted(j.model.ID)+" is in Options.Models and not among the models that WithModels permits this call; name one of those, or permit it where WithModels is called, which the models of a caller's key do")
}

// residencyRule resolves where the model may run and compares with Residency.
func residencyRule(ctx context.Context, rs *ruleset, j judgement, in any) error {
	if j.op.modelOf(in) == nil {
		return nil
	}
	list, err := j.model.Regions, error(nil)
	if list == nil { // or the chain has asked for them already
		list, err = rs.destinations(ctx, *j.model)
	}
	j.model.Regions = list
	if err != nil || rs.anywhere {
		return err
	}
	for _, r := range list {
		if r == rs.region || slices.Contains(rs.residency, r) {
			continue
		}
		if r == regions.Anywhere {
			return refuse(ErrResidency, "a global inference profile can run in every commercial region; Options.Residency must hold \"*\" to admit it")
		}
		return refuse(ErrResidency, fmt.Sprintf("the model can run in %s, which is not in Options.Residency", r))
	}
	return nil
}

// destinations is where a model may run when called in the pinned region.
func (rs *ruleset) destinations(ctx context.Context, m Model) ([]string, error) {
	switch m.Kind {
	case KindFoundationModel, KindProvisionedModel, KindCustomModelDeployment, KindImportedModel, KindMarketplaceEndpoint:
		return []string{rs.region}, nil
	}
	if rs.profiles != nil {
		return rs.resolve(ctx, m)
	}
	if m.Kind == KindInferenceProfile {
		if list := regions.RoutedDestinations(m.Prefix, rs.region); list != nil {
			return list, nil
		}
	}
	switch {
	case rs.anywhere:
		return []string{regions.Anywhere}, nil
	case m.Kind == KindUnknown:
		return nil, refuse(ErrModel, refusal.Quoted(m.ID)+" begins with neither a known provider nor a known inference profile prefix; "+
			"if it is a profile, set Options.Profiles to ask Bedrock about it; "+rs.byARN(m))
	case m.Kind == KindInferenceProfile && !regions.IsProfilePrefix(m.Prefix):
		return nil, refuse(ErrModel, "the inference profile prefix "+refusal.Quoted(m.Prefix)+" is not known here; set Options.Profiles to ask Bedrock about the profile")
	case m.Kind == KindInferenceProfile:
		return nil, refuse(ErrResidency, fmt.Sprintf("no %s. profile is known to be callable in %s; set Options.Profiles to ask Bedrock", m.Prefix, rs.region))
	}
	return nil, refuse(ErrResidency, "where "+withArticle(m.Kind)+" runs cannot be told from its ARN; set Options.Profiles to ask Bedrock, or name the model itself")
}

// resolve asks Options.Profiles. Its panic is an error, so that no other call of
// the process is lost to it.
func (rs *ruleset) resolve(ctx context.Context, m Model) (list []string, err error) {
	defer func() {
		if p := recover(); p != nil {
			// The value is not repeated: it could hold anything.
			list, err = nil, refuse(ErrResidency, fmt.Sprintf("Options.Profiles panicked with a %T", p))
		}
	}()
	list, err = rs.profiles.Destinations(ctx, m.ID, rs.region)
	switch {
	case err != nil:
		detail := "Options.Profiles could not tell where the model runs"
		if m.Kind == KindUnknown {
			detail += "; " + rs.byARN(m)
		}
		return nil, refuse(fmt.Errorf("%w: %w", ErrResidency, err), detail)
	case len(list) == 0:
		return nil, refuse(ErrResidency, "Options.Profiles knows no destination of the model")
	}
	return slices.Clone(list), nil
}

// byARN names the form in which a model of a new provider passes.
func (rs *ruleset) byARN(m Model) string {
	return "if it is a foundation model, name it " + refusal.Quoted("arn:"+regions.PartitionOf(rs.region)+":bedrock:"+rs.region+"::foundation-model/"+m.ID)
}

func withArticle(k ModelKind) string {
	if strings.IndexByte("aeiou", k[0]) >= 0 {
		return "an " + string(k)
	}
	return "a " + string(k)
}

// applyGuardrailRule keeps ApplyGuardrail to the pinned guardrail.
func applyGuardrailRule(_ context.Context, rs *ruleset, j judgement, in any) error {
	if j.op.name != "ApplyGuardrail" || rs.unguarded != "" {
		return nil
	}
	a, ok := in.(*bedrockruntime.ApplyGuardrailInput)
	if !ok {
		return j.op.foreign(in)
	}
	return rs.guardrail.pin(&a.GuardrailIdentifier, &a.GuardrailVersion)
}

// defaultsRule writes what the caller left open: maxTokens and the call ID.
func defaultsRule(_ context.Context, rs *ruleset, j judgement, in any) error {
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		if err := rs.withMaxTokens(j, &in.InferenceConfig, &in.AdditionalModelRequestFields); err != nil {
			return err
		}
		in.RequestMetadata = withCallID(in.RequestMetadata, j.id)
	case *bedrockruntime.ConverseStreamInput:
		if err := rs.withMaxTokens(j, &in.InferenceConfig, &in.AdditionalModelRequestFields); err != nil {
			return err
		}
		in.RequestMetadata = withCallID(in.RequestMetadata, j.id)
	case *bedrockruntime.InvokeModelInput:
		return withCallIDHeader(&in.RequestMetadata, j.id)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		return withCallIDHeader(&in.RequestMetadata, j.id)
	default:
		if j.op.guarded { // every guarded operation can carry the call ID
			return j.op.foreign(in)
		}
	}
	return nil
}

// withMaxTokens bounds the answer of a call whose input has no bound of its own.
func (rs *ruleset) withMaxTokens(j judgement, config **types.InferenceConfiguration, extra *document.Interface) error {
	if rs.maxTokens < 0 || *config != nil && (*config).MaxTokens != nil {
		return nil
	}
	// A managed prompt brings its own, and Bedrock refuses any beside it
	// (API_runtime_Converse).
	if j.model.Kind == KindPrompt {
		return nil
	}
	fields, err := freeze(extra)
	if err != nil {
		return err
	}
	n, ok := fields.maxTokens(rs.maxTokens)
	if !ok {
		return nil
	}
	c := shallow(*config)
	c.MaxTokens = &n
	*config = c
	return nil
}
