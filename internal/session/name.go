package session

import (
	"os"
	"strings"
)

// DefaultName tells in CloudTrail where a call came from.
func DefaultName() string {
	host := os.Getenv("AWS_LAMBDA_FUNCTION_NAME")
	if host == "" {
		host, _ = os.Hostname()
	}
	return cutName("securebedrock-" + host)
}

// cutName keeps to [\w+=,.@-]{2,64} (API_AssumeRole, RoleSessionName).
func cutName(s string) string {
	s = strings.Map(func(r rune) rune {
		if IsNameRune(r) {
			return r
		}
		return '-'
	}, s)
	return strings.TrimRight(s[:min(len(s), 64)], "-")
}

// IsNameRune reports whether a session's name may have the character.
func IsNameRune(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_+=,.@-", r)
}
