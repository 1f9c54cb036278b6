package policycases

// Request is one request to AWS, as policy.Request has it.
type Request struct {
	Principal, Action, Resource string
	Context                     map[string][]string
	ThroughEndpoint             bool
}
