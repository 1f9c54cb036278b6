package policycases

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
