package bedrocktest

import (
	"slices"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// The service's own words for what a guardrail did.
const (
	reasonNone    = "No action."
	reasonBlocked = "Guardrail blocked."
	reasonMasked  = "Guardrail masked."
)

// evaluation is what a guardrail found in some texts.
type evaluation struct {
	assessment      types.GuardrailAssessment
	blocked, masked bool
}

func (e *evaluation) reason() string {
	switch {
	case e.blocked:
		return reasonBlocked
	case e.masked:
		return reasonMasked
	}
	return reasonNone
}

// evaluated is what a guardrail looks at.
type evaluated struct {
	texts []*string
	// source and query are what a prompt marks as such, for the contextual
	// grounding of answer.
	source, query, answer []*string
	// attacks: prompt attacks are looked for.
	attacks bool
	// full: the assessment is to hold what was not detected, too.
	full bool
}

// grounded reports whether there is an answer, and a source and a query that the
// answer can be held against.
func (in evaluated) grounded() bool {
	return len(in.answer) > 0 && len(in.source) > 0 && len(in.query) > 0
}

// evaluate looks through texts and masks in place what is to be masked. With
// full the assessment holds what was not detected, too, where Bedrock's would:
// not for words and not for regexes.
func (g *guardrail) evaluate(in evaluated) *evaluation {
	texts, full := in.texts, in.full
	e := &evaluation{}
	e.assessment.AppliedGuardrailDetails = &types.AppliedGuardrailDetails{
		GuardrailArn:       aws.String(g.arn),
		GuardrailId:        aws.String(g.ID),
		GuardrailVersion:   aws.String(g.Version),
		GuardrailOrigin:    []types.GuardrailOrigin{types.GuardrailOriginRequest},
		GuardrailOwnership: types.GuardrailOwnershipSelf,
	}
	e.assessment.InvocationMetrics = g.metrics(in)
	g.checkWords(e, texts)
	g.checkContent(e, in)
	g.checkGrounding(e, in)
	g.checkTopics(e, texts, full)
	g.checkPII(e, texts, full)
	return e
}

func (g *guardrail) checkWords(e *evaluation, texts []*string) {
	found := []types.GuardrailCustomWord{}
	for _, w := range g.words {
		if match, ok := find(w, texts); ok {
			found = append(found, types.GuardrailCustomWord{
				Action: types.GuardrailWordPolicyActionBlocked, Match: aws.String(match), Detected: aws.Bool(true),
			})
		}
	}
	managed := []types.GuardrailManagedWord{}
	for _, w := range g.profanity {
		if match, ok := find(w, texts); ok {
			managed = append(managed, types.GuardrailManagedWord{
				Action: types.GuardrailWordPolicyActionBlocked, Match: aws.String(match), Type: types.GuardrailManagedWordTypeProfanity, Detected: aws.Bool(true),
			})
		}
	}
	if len(found)+len(managed) > 0 {
		e.blocked = true
		e.assessment.WordPolicy = &types.GuardrailWordPolicyAssessment{CustomWords: found, ManagedWordLists: managed}
	}
}

func (g *guardrail) checkTopics(e *evaluation, texts []*string, full bool) {
	var found []types.GuardrailTopic
	for _, t := range g.topics {
		detected := slices.ContainsFunc(t.phrases, func(p phrase) bool {
			_, ok := find(p, texts)
			return ok
		})
		if !detected && !full {
			continue
		}
		action := types.GuardrailTopicPolicyActionNone
		if detected {
			action, e.blocked = types.GuardrailTopicPolicyActionBlocked, true
		}
		found = append(found, types.GuardrailTopic{
			Name: aws.String(t.name), Type: types.GuardrailTopicTypeDeny, Action: action, Detected: aws.Bool(detected),
		})
	}
	if len(found) > 0 {
		e.assessment.TopicPolicy = &types.GuardrailTopicPolicyAssessment{Topics: found}
	}
}

func (g *guardrail) checkPII(e *evaluation, texts []*string, full bool) {
	policy := types.GuardrailSensitiveInformationPolicyAssessment{
		PiiEntities: []types.GuardrailPiiEntityFilter{}, Regexes: []types.GuardrailRegexFilter{},
	}
	for _, p := range g.PII {
		if p.Pattern == nil {
			continue
		}
		entity := types.GuardrailPiiEntityType(p.Type)
		known := slices.Contains(entity.Values(), entity)
		var matches []string
		for _, text := range texts {
			matches = append(matches, p.Pattern.FindAllString(*text, -1)...)
			if p.Action != Block {
				*text = p.Pattern.ReplaceAllLiteralString(*text, "{"+p.Type+"}")
			}
		}
		action := types.GuardrailSensitiveInformationPolicyActionAnonymized
		switch {
		case len(matches) == 0:
			action = types.GuardrailSensitiveInformationPolicyActionNone
			if full && known {
				policy.PiiEntities = append(policy.PiiEntities, types.GuardrailPiiEntityFilter{
					Action: action, Type: entity, Match: aws.String(""), Detected: aws.Bool(false),
				})
			}
			continue
		case p.Action == Block:
			action, e.blocked = types.GuardrailSensitiveInformationPolicyActionBlocked, true
		default:
			e.masked = true
		}
		for _, match := range matches {
			if known {
				policy.PiiEntities = append(policy.PiiEntities, types.GuardrailPiiEntityFilter{
					Action: action, Type: entity, Match: aws.String(match), Detected: aws.Bool(true),
				})
				continue
			}
			policy.Regexes = append(policy.Regexes, types.GuardrailRegexFilter{
				Action: action, Name: aws.String(p.Type), Regex: aws.String(p.Pattern.String()), Match: aws.String(match), Detected: aws.Bool(true),
			})
		}
	}
	if len(policy.PiiEntities)+len(policy.Regexes) > 0 {
		e.assessment.SensitiveInformationPolicy = &policy
	}
}

func find(p phrase, texts []*string) (string, bool) {
	for _, text := range texts {
		if m := p.pattern.FindStringSubmatch(*text); m != nil {
			return m[1], true
		}
	}
	return "", false
}

// metrics counts as Bedrock bills: a unit per policy and started thousand of
// characters, regexes being free.
func (g *guardrail) metrics(in evaluated) *types.GuardrailInvocationMetrics {
	chars := characters(in.texts)
	count := aws.Int32(int32(chars))
	return &types.GuardrailInvocationMetrics{
		GuardrailProcessingLatency: aws.Int64(1),
		GuardrailCoverage:          &types.GuardrailCoverage{TextCharacters: &types.GuardrailTextCharactersCoverage{Guarded: count, Total: count}},
		Usage:                      g.usage(units(chars), in),
	}
}

func characters(texts []*string) int {
	n := 0
	for _, text := range texts {
		n += utf8.RuneCountInString(*text)
	}
	return n
}

func units(chars int) int { return (chars + 999) / 1000 }

func (g *guardrail) usage(n int, in evaluated) *types.GuardrailUsage {
	when := func(used bool) *int32 {
		if !used {
			return aws.Int32(0)
		}
		return aws.Int32(int32(n))
	}
	entity := func(p PII) bool {
		t := types.GuardrailPiiEntityType(p.Type)
		return slices.Contains(t.Values(), t)
	}
	regex := func(p PII) bool { return !entity(p) }
	grounding := 0
	if g.ContextualGrounding != nil && in.grounded() {
		grounding = units(characters(in.answer) + characters(in.source) + characters(in.query))
	}
	return &types.GuardrailUsage{
		TopicPolicyUnits:                    when(len(g.topics) > 0),
		ContentPolicyUnits:                  when(len(g.filters) > 0),
		WordPolicyUnits:                     when(len(g.words)+len(g.profanity) > 0),
		SensitiveInformationPolicyUnits:     when(slices.ContainsFunc(g.PII, entity)),
		SensitiveInformationPolicyFreeUnits: when(slices.ContainsFunc(g.PII, regex)),
		ContextualGroundingPolicyUnits:      aws.Int32(int32(grounding)),
	}
}
