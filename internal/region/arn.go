package region

import "strings"

// ARN is an ARN in its parts, of which only Resource can hold a colon.
type ARN struct{ Partition, Service, Region, Account, Resource string }

// ParseARN splits an ARN. It reports false where s has fewer than six parts, or
// no partition, service or resource; the rest is the caller's to judge.
func ParseARN(s string) (ARN, bool) {
	p := strings.SplitN(s, ":", 6)
	if len(p) != 6 || p[0] != "arn" || p[1] == "" || p[2] == "" || p[5] == "" {
		return ARN{}, false
	}
	return ARN{p[1], p[2], p[3], p[4], p[5]}, true
}

// IsAccount reports whether s is an account's number.
func IsAccount(s string) bool { return len(s) == 12 && strings.Trim(s, "0123456789") == "" }
