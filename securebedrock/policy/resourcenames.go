package policy

import (
	"strings"

	regions "github.com/securebedrock/securebedrock-go/internal/region"
)

// The names here are strict: what a document would hold may have no character to which IAM
// gives a meaning, such as '*', '?' or '$'.

// wildcards have a meaning in a policy's ARN: any run, any one character, a variable.
const wildcards = "*?$"

// consistsOf reports whether s has low to high characters, each a letter or digit of
// ASCII or one of extra.
func consistsOf(s string, low, high int, extra string) bool {
	return len(s) >= low && len(s) <= high && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(extra, r)
	})
}

// isID reports whether s can be the ID of a knowledge base, an agent or an alias.
func isID(s string) bool { return consistsOf(s, 10, 10, "") }

// isBucket reports whether s can be the name of a general purpose bucket (S3 User Guide,
// bucketnamingrules).
func isBucket(s string) bool {
	return consistsOf(s, 3, 63, ".-") && s == strings.ToLower(s) && strings.Trim(s, ".-") == s && !strings.Contains(s, "..")
}

// isPrefix reports whether s can stand before a slash in an object's key.
func isPrefix(s string) bool {
	return consistsOf(s, 1, 512, "!_.'()/=-") && strings.Trim(s, "/") == s
}

// isLogGroup reports whether s can be the name of a log group (API_CreateLogGroup).
func isLogGroup(s string) bool { return consistsOf(s, 1, 512, "._/#-") }

// isTrail reports whether s can be the name of a trail (API_CreateTrail).
func isTrail(s string) bool { return consistsOf(s, 3, 128, "._-") && strings.Trim(s, "._-") == s }

// isKubernetesName reports whether s can be the name of a namespace or service account.
func isKubernetesName(s string) bool {
	return consistsOf(s, 1, 253, ".-") && s == strings.ToLower(s) && strings.Trim(s, ".-") == s
}

// isEndpoint reports whether s is the ID of a VPC endpoint.
func isEndpoint(s string) bool {
	id, ok := strings.CutPrefix(s, "vpce-")
	return ok && len(id) >= 8 && len(id) <= 17 && strings.Trim(id, "0123456789abcdef") == ""
}

// isTagKey and isTagValue follow IAM's rules for tags (IAM User Guide, id_tags).
func isTagKey(s string) bool {
	return consistsOf(s, 1, 128, " _.:/=+-@") && !strings.HasPrefix(strings.ToLower(s), "aws:")
}
func isTagValue(s string) bool { return consistsOf(s, 1, 256, " _.:/=+-@") }

// isClaim reports whether s can be compared with a claim of a token. In a pattern, '*'
// may stand as well.
func isClaim(s string, extra string) bool { return consistsOf(s, 1, 512, "_.:/=+-@#|~,"+extra) }

// isPattern reports whether a pattern of subjects is bounded: one '*', at the end, after a
// whole part, and behind the part that names the owner.
func isPattern(s string) bool {
	fixed, ok := strings.CutSuffix(s, "*")
	if !ok || strings.Contains(fixed, "*") || fixed == "" || !strings.ContainsRune(":/", rune(fixed[len(fixed)-1])) {
		return false
	}
	owner := 2 // "repo:ORGANISATION/", "project_path:GROUP/"
	if strings.HasPrefix(s, "system:serviceaccount:") {
		owner = 3 // "system:serviceaccount:NAMESPACE:"
	}
	parts := strings.FieldsFunc(fixed, func(r rune) bool { return r == ':' || r == '/' })
	return len(parts) >= owner
}

// isPrincipal reports whether arn is one role or user, by name. An account's root is none:
// it stands for every principal of the account whose own policy allows the call.
func isPrincipal(arn regions.ARN) bool {
	if arn.Service != "iam" || arn.Region != "" || !regions.IsAccount(arn.Account) {
		return false
	}
	kind, name, _ := strings.Cut(arn.Resource, "/")
	return (kind == "role" || kind == "user") && consistsOf(name, 1, 576, "_+=,.@/-") && !strings.HasSuffix(name, "/")
}
