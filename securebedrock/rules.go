package securebedrock

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/document"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// rule checks or completes an input. in is the call's own shallow copy. A new
// rule is one function in the list below.
type rule func(ctx context.Context, g *guard, st *state, in any) error

func rules() []rule {
	return []rule{
		operationRule,
		modelRule,
		residencyRule,
		guardrailRule,
		coverageRule,
		applyGuardrailRule,
		invocationRule,
		defaultsRule,
	}
}

// operationRule refuses an operation that runs inference without a guardrail,
// unless a reason is on record.
func operationRule(_ context.Context, g *guard, st *state, _ any) error {
	if st.op.guarded || !st.op.infers || st.call.Unguarded != "" {
		return nil
	}
	return refuse(ErrUnguardedOperation, fmt.Sprintf(
		"%s runs a model on content that no guardrail sees; give the reason for wanting it in Options.UnguardedOperations[%q]",
		st.op.name, st.op.name))
}

// modelRule pins the copy of the identifier that was checked.
func modelRule(_ context.Context, g *guard, st *state, in any) error {
	field := st.op.modelOf(in)
	if field == nil {
		if st.op.infers {
			return st.op.foreign(in)
		}
		return nil
	}
	id := aws.ToString(*field)
	*field = &id
	if st.parsed != nil && st.parsed.ID == id && id != "" { // the usual: no middleware changed it
		st.call.Model = *st.parsed
		return nil
	}
	m, err := g.model(id)
	st.call.Model = m
	return err
}

// model parses an identifier and applies the ARN's own region and the allow-list.
func (g *guard) model(id string) (Model, error) {
	m, err := ParseModel(id)
	if err != nil {
		return m, err
	}
	if m.Region != "" {
		if m.Region != g.region {
			return m, refuse(ErrRegion, fmt.Sprintf("the ARN is of %s and Options.Region is %s", m.Region, g.region))
		}
		if p := partitionOf(g.region); m.partition != p {
			return m, refuse(ErrRegion, fmt.Sprintf("the ARN is of partition %s and %s is in %s", m.partition, g.region, p))
		}
	}
	if len(g.models) > 0 && !slices.ContainsFunc(g.models, func(p string) bool { return matchPattern(p, id) }) {
		return m, refuse(ErrModel, "the identifier is not in Options.Models")
	}
	return m, nil
}

// residencyRule resolves where the model may run and compares with Residency.
func residencyRule(ctx context.Context, g *guard, st *state, in any) error {
	if st.op.modelOf(in) == nil {
		return nil
	}
	regions, err := g.destinations(ctx, st.call.Model)
	st.call.Model.Regions = regions
	if err != nil || g.anywhere {
		return err
	}
	for _, r := range regions {
		if r == g.region || slices.Contains(g.residency, r) {
			continue
		}
		if r == anywhere {
			return refuse(ErrResidency, "a global inference profile can run in every commercial region; Options.Residency must hold \"*\" to admit it")
		}
		return refuse(ErrResidency, fmt.Sprintf("the model can run in %s, which is not in Options.Residency", r))
	}
	return nil
}

// destinations is where a model may run when called in the pinned region.
func (g *guard) destinations(ctx context.Context, m Model) ([]string, error) {
	switch m.Kind {
	case KindFoundationModel, KindProvisionedModel, KindCustomModelDeployment, KindImportedModel, KindMarketplaceEndpoint:
		return []string{g.region}, nil
	case KindInferenceProfile, KindApplicationProfile:
		if g.profiles != nil {
			regions, err := g.profiles.Destinations(ctx, m.ID, g.region)
			if err != nil {
				return nil, &PolicyError{Rule: fmt.Errorf("%w: %w", ErrResidency, err), Detail: "Options.Profiles could not resolve the profile"}
			}
			if len(regions) == 0 {
				return nil, refuse(ErrResidency, "Options.Profiles knows no destination of the profile")
			}
			return slices.Clone(regions), nil
		}
		if m.Kind == KindInferenceProfile {
			if regions := profileDestinations(m.Prefix, g.region); regions != nil {
				return regions, nil
			}
			return nil, refuse(ErrResidency, fmt.Sprintf("no %s. profile is known to be callable in %s; set Options.Profiles to ask Bedrock", m.Prefix, g.region))
		}
	}
	if g.anywhere {
		return []string{anywhere}, nil
	}
	return nil, refuse(ErrResidency, fmt.Sprintf("where a %s runs cannot be told from its ARN; set Options.Profiles, or name the model itself", m.Kind))
}

// applyGuardrailRule keeps ApplyGuardrail to the pinned guardrail.
func applyGuardrailRule(_ context.Context, g *guard, st *state, in any) error {
	if st.op.name != "ApplyGuardrail" || g.unguarded != "" {
		return nil
	}
	a, ok := in.(*bedrockruntime.ApplyGuardrailInput)
	if !ok {
		return st.op.foreign(in)
	}
	return g.guardrail.pin(&a.GuardrailIdentifier, &a.GuardrailVersion)
}

// invocationRule keeps GetAsyncInvoke to the pinned region.
func invocationRule(_ context.Context, g *guard, st *state, in any) error {
	if st.op.name != "GetAsyncInvoke" {
		return nil
	}
	get, ok := in.(*bedrockruntime.GetAsyncInvokeInput)
	if !ok {
		return st.op.foreign(in)
	}
	arn := aws.ToString(get.InvocationArn)
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[2] != "bedrock" {
		return refuse(ErrRegion, "InvocationArn "+quoted(arn)+" is not an ARN of bedrock")
	}
	if parts[3] != g.region {
		return refuse(ErrRegion, "InvocationArn is of "+quoted(parts[3])+" and Options.Region is "+g.region)
	}
	get.InvocationArn = &arn
	return nil
}

// callIDKey joins Bedrock's invocation log to the client's records.
const callIDKey = "securebedrock-call-id"

// maxRequestMetadata entries may be sent (API_runtime_Converse, requestMetadata).
const maxRequestMetadata = 16

// defaultsRule writes what the caller left open: maxTokens and the call ID.
func defaultsRule(_ context.Context, g *guard, st *state, in any) error {
	switch in := in.(type) {
	case *bedrockruntime.ConverseInput:
		if err := g.withMaxTokens(st, &in.InferenceConfig, &in.AdditionalModelRequestFields); err != nil {
			return err
		}
		in.RequestMetadata = withCallID(in.RequestMetadata, st.call.ID)
	case *bedrockruntime.ConverseStreamInput:
		if err := g.withMaxTokens(st, &in.InferenceConfig, &in.AdditionalModelRequestFields); err != nil {
			return err
		}
		in.RequestMetadata = withCallID(in.RequestMetadata, st.call.ID)
	case *bedrockruntime.InvokeModelInput:
		return withCallIDHeader(&in.RequestMetadata, st.call.ID)
	case *bedrockruntime.InvokeModelWithResponseStreamInput:
		return withCallIDHeader(&in.RequestMetadata, st.call.ID)
	default:
		if st.op.guarded { // every guarded operation can carry the call ID
			return st.op.foreign(in)
		}
	}
	return nil
}

// withMaxTokens bounds the answer of a call whose input has no bound of its own.
func (g *guard) withMaxTokens(st *state, config **types.InferenceConfiguration, extra *document.Interface) error {
	if g.maxTokens < 0 || *config != nil && (*config).MaxTokens != nil {
		return nil
	}
	// A managed prompt brings its own, and Bedrock refuses any beside it
	// (API_runtime_Converse).
	if st.call.Model.Kind == KindPrompt {
		return nil
	}
	fields, err := freeze(extra)
	if err != nil {
		return err
	}
	n, ok := fields.maxTokens(g.maxTokens)
	if !ok {
		return nil
	}
	c := shallow(*config)
	c.MaxTokens = &n
	*config = c
	return nil
}

func withCallID(m map[string]string, id string) map[string]string {
	if m == nil {
		return map[string]string{callIDKey: id}
	}
	if _, has := m[callIDKey]; !has && len(m) >= maxRequestMetadata {
		return m
	}
	m = maps.Clone(m)
	m[callIDKey] = id
	return m
}

// maxMetadataHeader characters may be in that header (RequestMetadataJson).
const maxMetadataHeader = 8500

// withCallIDHeader does the same for InvokeModel, whose metadata is a JSON
// object in a header.
func withCallIDHeader(field **string, id string) error {
	if strings.TrimSpace(aws.ToString(*field)) == "" {
		*field = aws.String(`{"` + callIDKey + `":"` + id + `"}`)
		return nil
	}
	var m map[string]string
	if err := json.Unmarshal([]byte(**field), &m); err != nil {
		return refuse(ErrModel, "RequestMetadata is not a JSON object of strings")
	}
	b, err := json.Marshal(withCallID(m, id))
	if err != nil {
		return refuse(ErrModel, "RequestMetadata cannot be written as JSON")
	}
	if len(b) <= maxMetadataHeader {
		*field = aws.String(string(b))
	}
	return nil
}
