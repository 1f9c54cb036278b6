package policy

import (
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/iamdata"
)

// actions finds actions and prefixes that do not exist.
func (l *linter) actions(s *Statement) {
	for _, pattern := range slices.Concat(s.Action, s.NotAction) {
		if fault := actionFault(pattern); fault != "" {
			l.add(RuleAction, "write one such as bedrock:InvokeModel", "%s %s", quotedName(pattern), fault)
			continue
		}
		service, name, _ := strings.Cut(strings.ToLower(pattern), ":")
		_, known := actionsOf(pattern)
		switch {
		case pattern == "*" || service == "*" || known:
		case !iamdata.Known(service):
			if strings.HasPrefix(service, "bedrock") && !slices.Contains(iamdata.Prefixes(), service) {
				l.add(RuleAction, "write bedrock:, which is the prefix of all of Bedrock's APIs but Mantle's and AgentCore's",
					"%s: no service has the prefix %s", quotedName(pattern), quotedName(service))
			}
		case strings.ContainsAny(name, "*?"):
			l.add(RuleWildcard, "name the actions that are meant", "%s matches no action of %s", quotedName(pattern), iamdata.Date)
		default:
			l.add(RuleAction, insteadOf(service, name), "%s is no action, and the entry matches no request", quotedName(pattern))
		}
	}
}

// insteadOf is the remedy for an action that does not exist. Operations authorize as
// actions of other names: API_runtime_Converse, API_runtime_ConverseStream,
// API_runtime_StartAsyncInvoke, API_runtime_InvokeModelWithBidirectionalStream.
func insteadOf(service, name string) string {
	if service == "bedrock" {
		switch name {
		case "converse", "startasyncinvoke", "invokemodelwithbidirectionalstream":
			return "write bedrock:InvokeModel, as which the operation authorizes"
		case "conversestream":
			return "write bedrock:InvokeModelWithResponseStream, as which the operation authorizes"
		case "createinference":
			return "write bedrock-mantle:CreateInference"
		}
	}
	return "look the action up in AWS's Service Authorization Reference"
}

// actionsOf returns the actions of the table that a pattern matches. known is false
// where the table has none.
func actionsOf(pattern string) (actions []string, known bool) {
	if !strings.ContainsAny(pattern, "*?") {
		_, known = iamdata.ResourceTypes(pattern)
		return []string{strings.ToLower(pattern)}, known
	}
	service, _, _ := strings.Cut(pattern, ":")
	for _, action := range iamdata.Actions(service) {
		if glob(pattern, action, true) {
			actions = append(actions, action)
		}
	}
	return actions, len(actions) > 0
}

// names reports whether a statement's Action or NotAction reaches an action.
func (s *Statement) names(action string) bool {
	if s.NotAction != nil {
		return !matchesAction(s.NotAction, action)
	}
	return matchesAction(s.Action, action)
}
