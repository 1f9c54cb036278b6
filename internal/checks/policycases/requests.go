package policycases

import (
	"math/rand/v2"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/region"
)

// RandomRequest returns a request near the boundary of what a configuration allows: an
// authorization of one of its calls, half of the time with one thing changed.
func RandomRequest(r *rand.Rand, c Config) Request {
	if chance(r, 8) {
		return randomRoute(r, c)
	}
	list := Authorizations(c, RandomCall(r, c))
	q := list[r.IntN(len(list))]
	q.ThroughEndpoint = chance(r, 2)
	if chance(r, 2) {
		return q
	}
	o := c.Options
	partition := region.PartitionOf(o.Region)
	own := "arn:" + partition + ":bedrock:" + o.Region + ":" + AccountID + ":"
	inference := strings.HasPrefix(q.Action, "bedrock:InvokeModel")
	switch r.IntN(7) {
	case 0, 1: // the region of the request and of its model
		to := pick(r, append(Regions(), "eu-west-1", "us-gov-east-1")...)
		if region.PartitionOf(to) != partition {
			to = o.Region
		}
		if arn, ok := region.ParseARN(q.Resource); ok && arn.Region != "" {
			q.Resource = strings.Replace(q.Resource, ":"+arn.Region+":", ":"+to+":", 1)
		}
		q.Context["aws:RequestedRegion"] = []string{to}
	case 2, 3: // the guardrail
		if !inference {
			break
		}
		switch r.IntN(5) {
		case 0:
			delete(q.Context, key)
		case 1:
			q.Context[key] = []string{own + "guardrail/" + GuardrailID + ":2"}
		case 2:
			q.Context[key] = []string{own + "guardrail/" + GuardrailID}
		case 3:
			q.Context[key] = []string{own + "guardrail/lax000000000:1"}
		case 4:
			q.Context[key] = []string{own + "guardrail/" + GuardrailID + ":" + o.Guardrail.Version}
		}
	case 4: // the profile
		if !inference {
			break
		}
		switch r.IntN(4) {
		case 0:
			delete(q.Context, profile)
		case 1:
			q.Context[profile] = []string{own + "application-inference-profile/x1y2z3x1y2z3"}
		case 2:
			q.Context[profile] = []string{strings.Replace(own, AccountID, OtherAccount, 1) + "inference-profile/eu." + Sonnet}
		case 3:
			q.Context[profile] = []string{own + "inference-profile/" + pick(r, prefixesOf(o.Region)...) + "." + pick(r, families()...)}
		}
	case 5: // the principal
		q.Principal = strings.Replace(q.Principal, "role/app", pick(r, "role/other", "role/knowledge-base"), 1)
	case 6: // the action
		if q.Action == invoke {
			q.Action = stream
		} else if q.Action == stream {
			q.Action = invoke
		}
	}
	return q
}

// randomRoute is a request for what the client never does.
func randomRoute(r *rand.Rand, c Config) Request {
	o := c.Options
	partition := region.PartitionOf(o.Region)
	where := o.Region
	if partition == "aws" {
		where = pick(r, o.Region, o.Region, "us-east-1", "eu-west-1")
	}
	own := "arn:" + partition + ":bedrock:" + where + ":" + AccountID + ":"
	guard := "arn:" + partition + ":bedrock:" + o.Region + ":" + AccountID + ":guardrail/" + pick(r, GuardrailID, "lax000000000")
	user := "arn:" + partition + ":iam::" + AccountID + ":user/developer"
	project := "arn:" + partition + ":bedrock-mantle:" + where + ":" + AccountID + ":project/p1q2r3s4"
	mode := pick(r, "none", "default", "aws_review", "provider_data_share", "inherit", "")
	with := func(key string) []string {
		if mode == "" {
			return nil
		}
		return []string{key, mode}
	}
	route := func(action, resource string, more ...string) Request {
		q := ask(action, resource, where, more...)
		q.Principal, q.ThroughEndpoint = o.Role.ARN, chance(r, 2)
		return q
	}
	switch r.IntN(16) {
	case 0:
		return route("bedrock:CallWithBearerToken", "*", "bedrock:BearerTokenType", pick(r, "SHORT_TERM", "LONG_TERM"))
	case 1:
		return route("bedrock-mantle:CallWithBearerToken", "*")
	case 2, 3:
		return route(pick(r, "iam:CreateServiceSpecificCredential", "iam:ResetServiceSpecificCredential", "iam:DeleteServiceSpecificCredential"), user,
			"iam:ServiceSpecificCredentialServiceName", pick(r, "bedrock.amazonaws.com", "codecommit.amazonaws.com"))
	case 4:
		return route("bedrock-mantle:CreateInference", project)
	case 5:
		return route("bedrock:CreateModelInvocationJob", "arn:"+partition+":bedrock:"+where+"::foundation-model/"+Haiku)
	case 6:
		return route("bedrock:InvokeAgent", own+"agent-alias/AGENT12345/ALIAS12345")
	case 7:
		return route(pick(r, "bedrock:RetrieveAndGenerate", "bedrock:InvokeInlineAgent"), "*")
	case 8:
		return route("bedrock:Retrieve", own+"knowledge-base/KB12345678")
	case 9:
		return route("bedrock:PutAccountDataRetention", "*", with("bedrock:DataRetentionMode")...)
	case 10:
		return route("bedrock-mantle:PutAccountDataRetention", "*", with("bedrock-mantle:DataRetentionMode")...)
	case 11:
		return route(pick(r, "bedrock-mantle:CreateProject", "bedrock-mantle:UpdateProject"), project, with("bedrock-mantle:DataRetentionMode")...)
	case 12:
		return route(pick(r, "bedrock:PutModelInvocationLoggingConfiguration", "bedrock:DeleteEnforcedGuardrailConfiguration", "bedrock:ListFoundationModels"), "*")
	case 13:
		return route(pick(r, "bedrock:UpdateGuardrail", "bedrock:DeleteGuardrail", "bedrock:GetGuardrail"), guard)
	case 14:
		return route("bedrock:GetInferenceProfile", own+"inference-profile/"+pick(r, prefixesOf(o.Region)...)+"."+Sonnet)
	}
	return route("sts:AssumeRole", o.Role.ARN)
}
