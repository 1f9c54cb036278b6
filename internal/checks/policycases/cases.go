package policycases

// Case is a request, and what each document of a configuration must say to it. The
// verdicts are expected by hand, from AWS's documentation and from what Options mean.
type Case struct {
	Config  string // a name of Configs
	Name    string
	Request Request
	// Want has a letter for each of Columns: A where the document lets the request
	// pass, D where it does not, and . where the configuration calls for no such
	// document. Spaces are for the reader.
	Want string
	// Unsimulated is why another evaluator is not asked.
	Unsimulated string
}

// Cases returns the table.
func Cases() []Case {
	var all []Case
	for _, part := range [][]Case{
		oneRegionCases(), routeCases(), retentionCases(), changeCases(),
		europeCases(), globalCases(), govCloudCases(), appProfileCases(), anyModelCases(), relaxedCases(),
	} {
		all = append(all, part...)
	}
	return all
}

// table gives each row its configuration.
func table(config string, rows ...Case) []Case {
	for i := range rows {
		rows[i].Config = config
	}
	return rows
}

// ask makes a request of the role app, in a region, with pairs of condition keys and
// values.
func ask(action, resource, region string, pairs ...string) Request {
	q := Request{Principal: Role, Action: action, Resource: resource, Context: map[string][]string{"aws:RequestedRegion": {region}}}
	for i := 0; i+1 < len(pairs); i += 2 {
		q.Context[pairs[i]] = []string{pairs[i+1]}
	}
	return q
}

// by is the request of another principal.
func by(principal string, q Request) Request { q.Principal = principal; return q }

// through is the request through the VPC endpoint.
func through(q Request) Request { q.ThroughEndpoint = true; return q }

const (
	invoke   = "bedrock:InvokeModel"
	stream   = "bedrock:InvokeModelWithResponseStream"
	key      = "bedrock:GuardrailIdentifier"
	profile  = "bedrock:InferenceProfileArn"
	home     = "eu-central-1"
	pinned   = "arn:aws:bedrock:" + home + ":" + AccountID + ":guardrail/" + GuardrailID
	version1 = pinned + ":1"
	version2 = pinned + ":2"
	lax      = "arn:aws:bedrock:" + home + ":" + AccountID + ":guardrail/lax000000000:1"
	foreign  = "arn:aws:bedrock:" + home + ":" + OtherAccount + ":guardrail/" + GuardrailID + ":1"
)

// model is a foundation model's ARN.
func model(region, id string) string { return "arn:aws:bedrock:" + region + "::foundation-model/" + id }

// system is a system profile's ARN.
func system(region, account, id string) string {
	return "arn:aws:bedrock:" + region + ":" + account + ":inference-profile/" + id
}
