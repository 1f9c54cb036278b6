package policycases

import (
	"math/rand/v2"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/region"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// Call is one call of an application.
type Call struct {
	Operation string // the SDK's name, such as "Converse"
	Model     string // as the caller writes it, or the invocation; empty where there is none
	// Guardrail and Version are what the caller names; empty where the client's own is
	// left to be filled in.
	Guardrail, Version string
}

// RandomCall returns a call that the configuration may allow: half of them name a model
// of Options.Models.
func RandomCall(r *rand.Rand, c Config) Call {
	o := c.Options
	partition := region.PartitionOf(o.Region)
	call := Call{Operation: pick(r, "Converse", "ConverseStream", "InvokeModel", "InvokeModelWithResponseStream")}
	if chance(r, 3) {
		call.Operation = pick(r, "CountTokens", "CountTokens", "ApplyGuardrail", "ApplyGuardrail", "StartAsyncInvoke", "StartAsyncInvoke",
			"InvokeGuardrailChecks", "ListAsyncInvokes", "GetAsyncInvoke")
	}
	switch call.Operation {
	case "ApplyGuardrail":
	case "InvokeGuardrailChecks", "ListAsyncInvokes":
		return call
	case "GetAsyncInvoke":
		call.Model = "arn:" + partition + ":bedrock:" + o.Region + ":" + AccountID + ":async-invoke/a1b2c3d4e5f6"
		return call
	default:
		call.Model = randomModel(r, c)
		for call.Operation == "CountTokens" && !isModelID(call.Model) {
			call.Model = pick(r, families()...) // CountTokens takes no profile (API_runtime_CountTokens)
		}
	}
	if o.Unguarded != "" || call.Operation == "CountTokens" || call.Operation == "StartAsyncInvoke" {
		if call.Operation == "ApplyGuardrail" {
			call.Guardrail, call.Version = GuardrailID, "1"
		}
		return call
	}
	own := "arn:" + partition + ":bedrock:" + o.Region + ":" + AccountID + ":guardrail/"
	switch r.IntN(9) {
	case 0:
		call.Guardrail, call.Version = GuardrailID, o.Guardrail.Version
	case 1:
		call.Guardrail, call.Version = own+GuardrailID, o.Guardrail.Version
	case 2:
		call.Guardrail, call.Version = GuardrailID, "2"
	case 3:
		call.Guardrail, call.Version = pick(r, "", own)+"lax000000000", o.Guardrail.Version
	}
	if call.Operation == "ApplyGuardrail" && call.Guardrail == "" {
		call.Guardrail, call.Version = GuardrailID, o.Guardrail.Version
	}
	return call
}

// isModelID reports whether an identifier is a foundation model's ID.
func isModelID(id string) bool {
	m, err := securebedrock.ParseModel(id)
	return err == nil && m.Kind == securebedrock.KindFoundationModel && m.Region == ""
}

// randomModel is an identifier, half of the time one of Options.Models.
func randomModel(r *rand.Rand, c Config) string {
	o := c.Options
	partition, model := region.PartitionOf(o.Region), pick(r, families()...)
	account := pick(r, AccountID, AccountID, OtherAccount)
	if len(o.Models) > 0 && chance(r, 2) {
		entry := pick(r, o.Models...)
		if head, ok := strings.CutSuffix(entry, "*"); ok {
			_, name, _ := strings.Cut(model, ".")
			return head + name
		}
		return entry
	}
	prefixes := append(prefixesOf(o.Region), "us", "eu", "jp")
	arn := "arn:" + partition + ":bedrock:" + pick(r, o.Region, o.Region, "us-east-1", "eu-central-1") + ":"
	switch r.IntN(8) {
	case 0, 1:
		return model
	case 2, 3:
		return pick(r, prefixes...) + "." + model
	case 4:
		return arn + ":foundation-model/" + model
	case 5:
		return arn + account + ":inference-profile/" + pick(r, prefixes...) + "." + model
	case 6:
		return arn + account + ":application-inference-profile/" + pick(r, "a1b2c3d4e5f6", "x1y2z3x1y2z3")
	}
	return arn + account + ":provisioned-model/" + pick(r, "p1q2r3s4t5u6", "v1w2v3w4v5w6")
}

// Authorizations lists what AWS asks IAM for one call, as AWS's documentation says, and
// not as package policy does: the model or the profile, each destination's model, and the
// guardrail (Bedrock User Guide inference-profiles-prereq, global-cross-region-inference,
// guardrails-permissions).
func Authorizations(c Config, call Call) []Request {
	o := c.Options
	partition := region.PartitionOf(o.Region)
	own := "arn:" + partition + ":bedrock:" + o.Region + ":" + c.Account.ID + ":"
	action, guarded := "bedrock:InvokeModel", true
	switch call.Operation {
	case "ConverseStream", "InvokeModelWithResponseStream":
		action = "bedrock:InvokeModelWithResponseStream"
	case "StartAsyncInvoke", "InvokeModelWithBidirectionalStream":
		guarded = false
	case "CountTokens":
		action, guarded = "bedrock:CountTokens", false
	}
	guardrail, version := call.Guardrail, call.Version
	if guardrail == "" {
		guardrail, version = o.Guardrail.ID, o.Guardrail.Version
	}
	if guardrail != "" && !strings.HasPrefix(guardrail, "arn:") {
		guardrail = own + "guardrail/" + guardrail
	}
	request := func(action, resource, where string) Request {
		return Request{Principal: o.Role.ARN, Action: action, Resource: resource, Context: map[string][]string{"aws:RequestedRegion": {where}}}
	}
	switch call.Operation {
	case "ApplyGuardrail":
		return []Request{request("bedrock:ApplyGuardrail", guardrail, o.Region)}
	case "InvokeGuardrailChecks", "ListAsyncInvokes":
		return []Request{request("bedrock:"+call.Operation, "*", o.Region)}
	case "GetAsyncInvoke":
		return []Request{request("bedrock:GetAsyncInvoke", call.Model, o.Region)}
	}
	var list []Request
	leg := func(resource, where, profile string) {
		q := request(action, resource, where)
		if guarded && guardrail != "" {
			q.Context["bedrock:GuardrailIdentifier"] = []string{guardrail + ":" + version}
		}
		if profile != "" {
			q.Context["bedrock:InferenceProfileArn"] = []string{profile}
		}
		list = append(list, q)
	}
	foundation := func(where, model string) string {
		return "arn:" + partition + ":bedrock:" + where + "::foundation-model/" + model
	}
	m, _ := securebedrock.ParseModel(call.Model)
	switch m.Kind {
	case securebedrock.KindFoundationModel:
		if m.Region != "" {
			leg(call.Model, m.Region, "")
		} else {
			leg(foundation(o.Region, call.Model), o.Region, "")
		}
	case securebedrock.KindInferenceProfile:
		profile, source := call.Model, o.Region
		if m.Region == "" {
			profile = own + "inference-profile/" + call.Model
		} else {
			source = m.Region
		}
		leg(profile, source, "")
		_, name, _ := strings.Cut(profile, "inference-profile/")
		_, model, _ := strings.Cut(name, ".")
		for _, d := range region.RoutedDestinations(m.Prefix, source) {
			if d == region.Anywhere {
				leg(foundation(source, model), source, profile)
				leg(foundation("", model), "unspecified", profile)
				continue
			}
			leg(foundation(d, model), d, profile)
		}
	case securebedrock.KindApplicationProfile:
		leg(call.Model, m.Region, "")
		for _, model := range c.Account.ProfileModels[call.Model] {
			if arn, ok := region.ParseARN(model); ok {
				leg(model, arn.Region, call.Model)
			} else {
				leg(foundation(o.Region, model), o.Region, call.Model)
			}
		}
	default:
		leg(call.Model, m.Region, "")
	}
	if guarded && guardrail != "" {
		list = append(list, request("bedrock:ApplyGuardrail", guardrail, o.Region))
	}
	return list
}
