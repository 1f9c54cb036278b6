package policy

// Lint says what in a document AWS knows nothing of, or understands otherwise than its
// author: actions, condition keys and resource types that do not exist or do not belong
// together, and the errors of published Bedrock policies. Lint knows Bedrock and the
// services around it as of the date of its table, which is in internal/iamdata. An
// action of a service that is not in the table, such as ec2, has no findings.
//
// A document without a finding can still be wrong. Decide says what it does.
func Lint(d Document) []Finding {
	var l linter
	if d.Declarative != nil {
		l.enforced(d.Declarative)
	}
	for i := range d.Statements {
		s := &d.Statements[i]
		l.sid = sidOf(d, i)
		l.actions(s)
		l.keys(s)
		l.keysOfActions(s)
		l.resources(s)
		l.shapes(s)
		l.guardrail(s)
		l.scope(s, d.Kind)
	}
	l.sid = ""
	l.endpointLanguage(&d)
	l.sids(d)
	l.openDoors(d)
	return l.findings
}
