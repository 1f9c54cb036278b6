package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
	regions "github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/internal/token"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// allowed is one entry of Options.Models as IAM's resources. An entry can give several:
// an application profile gives one for each list of destinations.
type allowed struct {
	entry string // as Options have it; empty where Options.Models are empty
	kind  securebedrock.ModelKind

	// profile is the ARN of the inference profile, prompt router or prompt, a pattern
	// perhaps. It is empty for a model itself.
	profile string
	// resource is the ARN of a model that is neither a foundation model nor has one
	// behind it that IAM asks for: provisioned, imported, custom deployment, marketplace.
	resource string

	models       []string // foundation model IDs, patterns perhaps
	destinations []string // regions of the models, sorted; "*" alone in a global profile
}

// settleModels reads Options.Models as the client does, which compares an entry with the
// identifier as the caller writes it.
func (s *Spec) settleModels(faults *refusal.Faults) {
	behind := s.settleBehind(faults)
	if !regions.Valid(s.region) {
		return // Options.Validate has said so
	}
	s.every = s.anyModel(behind)
	if len(s.opts.Models) == 0 {
		s.models = s.every
	}
	for _, entry := range s.opts.Models {
		if strings.TrimSpace(entry) != entry || entry == "" {
			continue // Options.Validate has said so
		}
		list, err := s.read(entry, behind)
		if err != nil {
			faults.Add("Models", "%s: %w", refusal.Quoted(entry), err)
		}
		s.models = append(s.models, list...)
	}
}

// read makes resources of one entry of Options.Models.
func (s *Spec) read(entry string, behind map[string][]allowed) ([]allowed, error) {
	if strings.ContainsFunc(entry, func(r rune) bool { return token.NotIdentifier(r) && r != '*' }) {
		return nil, fmt.Errorf("it has a character that no model identifier has, or one that means something else to IAM ('?', '$'); only '*' is a wildcard")
	}
	if strings.HasPrefix(entry, "arn") && strings.ContainsAny(entry, ":*") {
		return s.readARN(entry, behind)
	}
	head, name, ok := strings.Cut(entry, ".")
	if !ok || name == "" || strings.Contains(head, "*") {
		return nil, fmt.Errorf("it reaches over more than one kind of model, and IAM needs to know which; write the provider (\"anthropic.*\") or the profile's prefix (\"eu.anthropic.*\") in front")
	}
	probe := func(id string) securebedrock.ModelKind {
		m, _ := securebedrock.ParseModel(id)
		return m.Kind
	}
	switch {
	case probe(head+".provider.model") == securebedrock.KindInferenceProfile:
		return s.systemProfile(entry, s.account, head, name)
	case probe(head+".family.model") == securebedrock.KindFoundationModel,
		probe(strings.ReplaceAll(entry, "*", "x")) == securebedrock.KindFoundationModel && !strings.Contains(name, "*"),
		probe(strings.ReplaceAll(entry, "*", "x")) == securebedrock.KindFoundationModel && s.opts.Profiles == nil && !s.anywhere:
		return []allowed{s.model(entry, entry)}, nil
	case probe(head+".model") == "":
		return nil, fmt.Errorf("it is neither a model ID, an inference profile ID nor an ARN")
	case strings.Contains(name, "."):
		list, err := s.systemProfile(entry, s.account, head, name)
		if s.anywhere && s.opts.Profiles == nil { // the client lets it pass as what it may be
			list = append(list, s.model(entry, entry))
		}
		return list, err
	}
	return nil, fmt.Errorf("%q is neither a provider nor a profile prefix that is known here, so that the entry could mean both; name the models without '*'", head)
}

// model is a foundation model that is called in the region itself.
func (s *Spec) model(entry, id string) allowed {
	return allowed{entry: entry, kind: securebedrock.KindFoundationModel, models: []string{id}, destinations: []string{s.region}}
}

// readARN makes resources of an ARN. A '*' may stand within the resource's name only:
// further left, IAM would admit other kinds, accounts or regions.
func (s *Spec) readARN(entry string, behind map[string][]allowed) ([]allowed, error) {
	arn, ok := regions.ParseARN(entry)
	kind, name, hasName := strings.Cut(arn.Resource, "/")
	if !ok || !hasName || name == "" || strings.Contains(strings.TrimSuffix(entry, name), "*") {
		return nil, fmt.Errorf("a '*' can stand within the resource's name only, after arn:PARTITION:SERVICE:REGION:ACCOUNT:TYPE/; write the segments before it out")
	}
	if kind == "marketplace" && !strings.HasPrefix(name, "model-endpoint/") {
		return nil, fmt.Errorf("it is not the ARN of a marketplace endpoint, whose resource is marketplace/model-endpoint/NAME")
	}
	whole := strings.ReplaceAll(entry, "*", "x")
	if kind == string(securebedrock.KindInferenceProfile) && !strings.Contains(name, ".") {
		return nil, fmt.Errorf("the profile's prefix is missing; write it out, as in inference-profile/eu.*")
	}
	if kind == string(securebedrock.KindInferenceProfile) && strings.Count(name, ".") == 1 {
		whole += ".x" // "eu.*" stands for profiles of any provider
	}
	m, err := securebedrock.ParseModel(whole)
	switch {
	case err != nil:
		return nil, fmt.Errorf("it is not the ARN of a model: %w", err)
	case arn.Region != s.region:
		return nil, fmt.Errorf("it is of another region than Region, and the client refuses it")
	case arn.Partition != s.partition:
		return nil, fmt.Errorf("it is of another partition than Region, and the client refuses it")
	case arn.Account != "" && !slices.Contains(s.accounts(), arn.Account):
		return nil, fmt.Errorf("it is of account %s; name the account in Options.Accounts if calls may use what is there", arn.Account)
	}
	switch m.Kind {
	case securebedrock.KindFoundationModel:
		return []allowed{s.model(entry, name)}, nil
	case securebedrock.KindInferenceProfile:
		prefix, rest, _ := strings.Cut(name, ".")
		if strings.Contains(prefix, "*") {
			return nil, fmt.Errorf("the profile's prefix has a '*', and where it runs cannot be told; write the prefix out, as in inference-profile/eu.*")
		}
		return s.systemProfile(entry, arn.Account, prefix, rest)
	case securebedrock.KindApplicationProfile, securebedrock.KindPromptRouter, securebedrock.KindPrompt:
		return s.accountProfile(entry, m.Kind, behind)
	}
	return []allowed{{entry: entry, kind: m.Kind, resource: entry}}, nil
}

// accounts are those whose ARNs the client lets a caller name. Without Options.Accounts
// and Role the client lets any account pass, and IAM the account's own alone.
func (s *Spec) accounts() []string {
	if len(s.opts.Accounts) > 0 {
		return s.opts.Accounts
	}
	return []string{s.account}
}

// systemProfile is a profile that AWS defines: prefix and model.
func (s *Spec) systemProfile(entry, account, prefix, model string) ([]allowed, error) {
	destinations, err := s.destinations(prefix)
	if err != nil {
		return nil, err
	}
	return []allowed{{
		entry:        entry,
		kind:         securebedrock.KindInferenceProfile,
		profile:      s.arnOf("bedrock", s.region, account, "inference-profile/"+prefix+"."+model),
		models:       []string{model},
		destinations: destinations,
	}}, nil
}

// destinations is where the models of a prefix may run when called in the region, as far
// as the client lets them. Options.Profiles can know a profile with fewer destinations
// than the table; the client refuses what leaves Residency, so that the rest is enough.
func (s *Spec) destinations(prefix string) ([]string, error) {
	list := regions.RoutedDestinations(prefix, s.region)
	switch {
	case s.anywhere && list == nil:
		return []string{regions.Anywhere}, nil
	case s.anywhere:
		return list, nil
	case slices.Contains(list, regions.Anywhere):
		return nil, fmt.Errorf("a global profile runs in every commercial region; put \"*\" into Residency to admit it, or name a profile of one geography")
	case list == nil && s.opts.Profiles == nil:
		return nil, fmt.Errorf("no profile of the prefix %s is known to be callable in Region; set Options.Profiles, or take the entry out", refusal.Quoted(prefix))
	case list == nil:
		return s.regions, nil
	}
	var inside []string
	for _, r := range list {
		if slices.Contains(s.regions, r) {
			inside = append(inside, r)
		} else if s.opts.Profiles == nil {
			return nil, fmt.Errorf("the profile can run in %s, which is not in Residency; add Geography(%q) to Residency, or take the entry out", r, prefix)
		}
	}
	if len(inside) == 0 {
		return nil, fmt.Errorf("no destination of the prefix %s is in Residency; add Geography(%q), or take the entry out", refusal.Quoted(prefix), prefix)
	}
	return inside, nil
}

// accountProfile gives the profiles of Account.ProfileModels that an entry matches.
func (s *Spec) accountProfile(entry string, kind securebedrock.ModelKind, behind map[string][]allowed) ([]allowed, error) {
	var list []allowed
	for arn, parts := range sorted(behind) {
		if !glob(entry, arn, false) {
			continue
		}
		for _, part := range parts {
			if r := s.leaves(part); r != "" {
				return nil, fmt.Errorf("it can run in %s, which is not in Residency", r)
			}
			part.entry = entry
			list = append(list, part)
		}
	}
	if list == nil {
		return nil, fmt.Errorf("what is behind a resource of type %s cannot be told from its ARN; name the models in Account.ProfileModels", kind)
	}
	return list, nil
}

// leaves names a destination outside of Residency.
func (s *Spec) leaves(a allowed) string {
	for _, r := range a.destinations {
		switch {
		case s.anywhere || slices.Contains(s.regions, r):
		case r == regions.Anywhere:
			return "every region"
		default:
			return r
		}
	}
	return ""
}

// anyModel is what empty Models mean: what Region and Residency permit.
func (s *Spec) anyModel(behind map[string][]allowed) []allowed {
	list := []allowed{s.model("", "*")}
	if s.anywhere {
		global := allowed{kind: securebedrock.KindInferenceProfile, profile: s.arn("inference-profile/*"), models: []string{"*"}, destinations: []string{regions.Anywhere}}
		list = append(list, global)
	} else if s.opts.Profiles != nil {
		// The client lets out whatever profile Options.Profiles keep within Residency, of a
		// prefix that the table does not know, too. The legs are kept within Residency.
		list = append(list, allowed{kind: securebedrock.KindInferenceProfile, profile: s.arn("inference-profile/*"), models: []string{"*"}, destinations: s.regions})
	} else {
		for _, prefix := range regions.Geographies() {
			if regions.RoutedDestinations(prefix, s.region) == nil {
				continue
			}
			profiles, err := s.systemProfile("", s.account, prefix, "*")
			if err == nil {
				list = append(list, profiles...)
			}
		}
	}
	for _, parts := range sorted(behind) {
		if !slices.ContainsFunc(parts, func(a allowed) bool { return s.leaves(a) != "" }) {
			list = append(list, parts...)
		}
	}
	for _, account := range s.accounts() {
		for _, kind := range []securebedrock.ModelKind{
			securebedrock.KindProvisionedModel, securebedrock.KindCustomModelDeployment, securebedrock.KindImportedModel,
		} {
			list = append(list, allowed{kind: kind, resource: s.arnOf("bedrock", s.region, account, string(kind)+"/*")})
		}
	}
	return list
}
