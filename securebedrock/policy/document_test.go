package policy

import "testing"

func TestCloneSharesNothing(t *testing.T) {
	t.Parallel()
	enforced := EnforcedGuardrail{Region: "eu-central-1", IncludedModels: []string{"a"}, ExcludedModels: []string{"b"}}
	docs := append(samples(),
		Document{Name: "models", Kind: KindBedrock, Declarative: &GuardrailInference{Guardrails: []EnforcedGuardrail{enforced}}})
	for _, d := range docs {
		text := d.JSON()
		c := d.Clone()
		if c.JSON() != text {
			t.Errorf("%s: the copy differs", d.Name)
		}
		for i := range c.Statements {
			s := &c.Statements[i]
			lists := [][]string{s.Action, s.NotAction, s.Resource, s.NotResource}
			for _, p := range []*Principal{s.Principal, s.NotPrincipal} {
				if p != nil {
					lists = append(lists, p.AWS, p.Service, p.Federated, p.CanonicalUser)
				}
			}
			for _, keys := range s.Condition {
				for _, values := range keys {
					lists = append(lists, values)
				}
				clear(keys)
			}
			for _, list := range lists {
				clear(list)
			}
		}
		if g := c.Declarative; g != nil {
			for i := range g.Guardrails {
				for _, list := range [][]string{g.Guardrails[i].IncludedModels, g.Guardrails[i].ExcludedModels} {
					clear(list)
				}
				g.Guardrails[i] = EnforcedGuardrail{}
			}
		}
		if d.JSON() != text {
			t.Errorf("%s: a change of the copy is one of the document", d.Name)
		}
	}
}
