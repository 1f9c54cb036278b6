package policy

import (
	"maps"
	"slices"
	"strings"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// retainNothing is the mode that is always permitted, and deferToAccount the one with
// which a project defers to its account.
const (
	retainNothing  = "none"
	deferToAccount = "inherit"
)

// retentionFaults notes the faults of Account.DataRetention.
func retentionFaults(modes map[string]string, faults *refusal.Faults) {
	for _, mode := range slices.Sorted(maps.Keys(modes)) {
		switch {
		case !isRetentionMode(mode):
			faults.Add("DataRetention", "%s is not a mode; use \"default\", \"aws_review\", \"provider_data_share\" or \"inherit\"", refusal.Quoted(mode))
		case mode != retainNothing && strings.TrimSpace(modes[mode]) == "":
			faults.Add("DataRetention", "%s has no reason", refusal.Quoted(mode))
		}
	}
}

// isRetentionMode knows the modes of the SDK's types.DataRetentionMode (bedrock v1.73.0).
func isRetentionMode(s string) bool {
	switch s {
	case retainNothing, "default", "aws_review", "provider_data_share", deferToAccount:
		return true
	}
	return false
}
