package guardrail

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Evaluate searches texts, and masks in place what a policy masks. With Full the
// assessment also lists what was not detected, for the policies that Bedrock lists:
// not for words and not for regexes.
func (g *Guardrail) Evaluate(in Subject) *Evaluation {
	texts, full := in.Texts, in.Full
	e := &Evaluation{}
	e.Assessment.AppliedGuardrailDetails = &types.AppliedGuardrailDetails{
		GuardrailArn:       aws.String(g.arn),
		GuardrailId:        aws.String(g.ID),
		GuardrailVersion:   aws.String(g.Version),
		GuardrailOrigin:    []types.GuardrailOrigin{types.GuardrailOriginRequest},
		GuardrailOwnership: types.GuardrailOwnershipSelf,
	}
	e.Assessment.InvocationMetrics = g.metrics(in)
	g.checkWords(e, texts)
	g.checkContent(e, in)
	g.checkGrounding(e, in)
	g.checkTopics(e, texts, full)
	g.checkPII(e, texts, full)
	return e
}

func (g *Guardrail) checkWords(e *Evaluation, texts []*string) {
	found := []types.GuardrailCustomWord{}
	for _, w := range g.wordPhrases {
		if match, ok := findPhrase(w, texts); ok {
			found = append(found, types.GuardrailCustomWord{
				Action: types.GuardrailWordPolicyActionBlocked, Match: aws.String(match), Detected: aws.Bool(true),
			})
		}
	}
	managed := []types.GuardrailManagedWord{}
	for _, w := range g.profanityPhrases {
		if match, ok := findPhrase(w, texts); ok {
			managed = append(managed, types.GuardrailManagedWord{
				Action: types.GuardrailWordPolicyActionBlocked, Match: aws.String(match), Type: types.GuardrailManagedWordTypeProfanity, Detected: aws.Bool(true),
			})
		}
	}
	if len(found)+len(managed) > 0 {
		e.Blocked = true
		e.Assessment.WordPolicy = &types.GuardrailWordPolicyAssessment{CustomWords: found, ManagedWordLists: managed}
	}
}

func (g *Guardrail) checkTopics(e *Evaluation, texts []*string, full bool) {
	var found []types.GuardrailTopic
	for _, t := range g.topicPhrases {
		detected := slices.ContainsFunc(t.phrases, func(p phrase) bool {
			_, ok := findPhrase(p, texts)
			return ok
		})
		if !detected && !full {
			continue
		}
		action := types.GuardrailTopicPolicyActionNone
		if detected {
			action, e.Blocked = types.GuardrailTopicPolicyActionBlocked, true
		}
		found = append(found, types.GuardrailTopic{
			Name: aws.String(t.name), Type: types.GuardrailTopicTypeDeny, Action: action, Detected: aws.Bool(detected),
		})
	}
	if len(found) > 0 {
		e.Assessment.TopicPolicy = &types.GuardrailTopicPolicyAssessment{Topics: found}
	}
}

func (g *Guardrail) checkPII(e *Evaluation, texts []*string, full bool) {
	policy := types.GuardrailSensitiveInformationPolicyAssessment{
		PiiEntities: []types.GuardrailPiiEntityFilter{}, Regexes: []types.GuardrailRegexFilter{},
	}
	for _, p := range g.PII {
		if p.Pattern == nil {
			continue
		}
		entity, known := types.GuardrailPiiEntityType(p.Name), p.isEntity()
		var matches []string
		for _, text := range texts {
			matches = append(matches, p.Pattern.FindAllString(*text, -1)...)
			if !p.Blocks {
				*text = p.Pattern.ReplaceAllLiteralString(*text, "{"+p.Name+"}")
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
		case p.Blocks:
			action, e.Blocked = types.GuardrailSensitiveInformationPolicyActionBlocked, true
		default:
			e.Masked = true
		}
		for _, match := range matches {
			if known {
				policy.PiiEntities = append(policy.PiiEntities, types.GuardrailPiiEntityFilter{
					Action: action, Type: entity, Match: aws.String(match), Detected: aws.Bool(true),
				})
				continue
			}
			policy.Regexes = append(policy.Regexes, types.GuardrailRegexFilter{
				Action: action, Name: aws.String(p.Name), Regex: aws.String(p.Pattern.String()), Match: aws.String(match), Detected: aws.Bool(true),
			})
		}
	}
	if len(policy.PiiEntities)+len(policy.Regexes) > 0 {
		e.Assessment.SensitiveInformationPolicy = &policy
	}
}
