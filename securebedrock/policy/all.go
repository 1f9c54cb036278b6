package policy

import "errors"

// builder makes the documents of one concern. A builder returns none where the Spec does
// not call for it.
type builder func(*Spec) ([]Document, error)

// builders lists what All writes, in the order of the index page. A new document is one
// function in this list.
func builders() []builder {
	list := []builder{Invoke, session}
	for _, scp := range denials() {
		list = append(list, placed(scp))
	}
	list = append(list, Boundary, endpoints, OrganizationPolicy, ShareGuardrail)
	return append(list, GuardrailReader, GuardrailAdmin, KnowledgeBaseCaller, KnowledgeBaseRole, AgentCaller,
		RoleTrust, WorkloadTrust, ServiceTrust, LoggingRole, TrailRole, KeyPolicies, BucketPolicies)
}

// All returns every document that the Spec calls for. It returns every fault at once.
func All(s *Spec) ([]Document, error) {
	var all []Document
	var faults []error
	for _, build := range builders() {
		docs, err := build(s)
		all = append(all, docs...)
		faults = append(faults, err)
	}
	numberNames(all)
	return all, errors.Join(faults...)
}
