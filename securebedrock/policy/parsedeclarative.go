package policy

import (
	"slices"
	"strings"
)

// declarative reads what GuardrailInference can hold, which is the part of Organizations
// User Guide orgs_manage_policies_bedrock_syntax that appendJSON writes. Other content,
// such as selective guarding, is refused and not dropped.
func (r *reader) declarative(v value) (*GuardrailInference, error) {
	root, err := r.branches(v, "a Bedrock policy", "bedrock")
	if err != nil {
		return nil, err
	}
	inference, err := r.branches(root[0], "bedrock", "guardrail_inference")
	if err != nil {
		return nil, err
	}
	if inference[0].kind != objectValue || len(inference[0].members) == 0 {
		return nil, r.fail(inference[0].at, `guardrail_inference is an object of regions, such as {"eu-central-1": {"config_1": {}}}`)
	}
	g := &GuardrailInference{}
	for _, region := range inference[0].members {
		enforced := EnforcedGuardrail{Region: region.name}
		if err := r.enforced(region.value, &enforced); err != nil {
			return nil, err
		}
		g.Guardrails = append(g.Guardrails, enforced)
	}
	return g, nil
}

func (r *reader) enforced(v value, e *EnforcedGuardrail) error {
	config, err := r.branches(v, "a region", "config_1")
	if err != nil {
		return err
	}
	parts, err := r.branches(config[0], "config_1", "identifier", "selective_content_guarding", "model_enforcement")
	if err != nil {
		return err
	}
	identifier, err := r.assigned(parts[0], "identifier")
	if err != nil {
		return err
	}
	colon := strings.LastIndexByte(identifier[0], ':')
	if len(identifier) > 1 || colon < 0 || !isPublished(identifier[0][colon+1:]) {
		return r.fail(parts[0].at, "identifier is one guardrail ARN with a version, such as arn:aws:bedrock:eu-central-1:111122223333:guardrail/ID:1; DRAFT cannot be enforced")
	}
	e.ARN, e.Version = identifier[0][:colon], identifier[0][colon+1:]

	guarding, err := r.branches(parts[1], "selective_content_guarding", "system", "messages")
	if err != nil {
		return err
	}
	for _, part := range guarding {
		mode, err := r.assigned(part, "selective_content_guarding")
		if err != nil {
			return err
		}
		if !slices.Equal(mode, []string{"comprehensive"}) {
			return r.fail(part.at, `this library writes "comprehensive" alone, since "selective" leaves to the caller what is guarded`)
		}
	}
	models, err := r.branches(parts[2], "model_enforcement", "included_models", "excluded_models")
	if err != nil {
		return err
	}
	if e.IncludedModels, err = r.assigned(models[0], "included_models"); err != nil {
		return err
	}
	if slices.Equal(e.IncludedModels, []string{"ALL"}) {
		e.IncludedModels = nil
	}
	e.ExcludedModels, err = r.assigned(models[1], "excluded_models")
	return err
}

// branches returns the members of an object that must be there, in the order of names,
// and refuses any other.
func (r *reader) branches(v value, of string, names ...string) ([]value, error) {
	if v.kind != objectValue {
		return nil, r.fail(v.at, "%s is an object with %s, and this is %s", of, strings.Join(names, ", "), v.kind)
	}
	found := make([]value, len(names))
	for _, m := range v.members {
		i := slices.Index(names, m.name)
		if i < 0 {
			return nil, r.unknown(m, of, names...)
		}
		found[i] = m.value
	}
	for i, name := range names {
		if found[i].kind == 0 {
			return nil, r.fail(v.at, "%s has no %s; add it", of, name)
		}
	}
	return found, nil
}

// assigned reads {"@@assign": …}.
func (r *reader) assigned(v value, element string) ([]string, error) {
	if v.kind == objectValue && len(v.members) == 1 && v.members[0].name != "@@assign" {
		return nil, r.fail(v.members[0].at, "%s takes the operator @@assign alone, since another one makes the value depend on other policies; write @@assign", element)
	}
	inner, err := r.branches(v, element, "@@assign")
	if err != nil {
		return nil, err
	}
	if inner[0].kind == listValue && len(inner[0].list) == 0 {
		if element == "excluded_models" {
			return nil, nil
		}
		return nil, r.fail(inner[0].at, "%s is an empty list; give it a value", element)
	}
	return r.words(inner[0], element)
}
