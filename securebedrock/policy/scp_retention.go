package policy

import (
	"maps"
	"slices"
)

// PinRetention pins the data retention of Bedrock and Mantle to the mode "none", and to the
// modes of Account.DataRetention. It is attached to the account or to its organisational
// unit. The client has no such rule.
//
// "none" writes nothing to durable storage. "default" leaves the retention to each model,
// and AWS may keep data to look for abuse. "provider_data_share" gives data to the model's
// provider. The document changes no setting: an account that set nothing is at "inherit",
// which means each model's default, until PutAccountDataRetention says "none" there.
//
// A Mantle project overrides its account. A project that names no mode, or "inherit",
// defers to the account, and passes.
// https://docs.aws.amazon.com/bedrock/latest/userguide/data-retention.html
func PinRetention(s *Spec) ([]Document, error) {
	modes := slices.Sorted(maps.Keys(s.acct.DataRetention))
	if !slices.Contains(modes, retainNothing) {
		modes = append([]string{retainNothing}, modes...)
	}
	purpose := `Pins the data retention of Bedrock and Mantle to "none".`
	if len(s.acct.DataRetention) > 0 {
		purpose += " Permitted besides: " + reasons(s.acct.DataRetention) + "."
	}
	project := slices.Clone(modes)
	if !slices.Contains(project, deferToAccount) {
		project = append(project, deferToAccount)
	}
	return denial("scp-data-retention", purpose, "",
		Statement{
			Sid:       "PinAccountRetention",
			Effect:    Deny,
			Action:    []string{"bedrock:PutAccountDataRetention"},
			Resource:  []string{"*"},
			Condition: when("StringNotEquals", "bedrock:DataRetentionMode", modes...),
		},
		Statement{
			Sid:       "PinMantleAccountRetention",
			Effect:    Deny,
			Action:    []string{"bedrock-mantle:PutAccountDataRetention"},
			Resource:  []string{"*"},
			Condition: when("StringNotEquals", "bedrock-mantle:DataRetentionMode", modes...),
		},
		Statement{
			Sid:      "PinMantleProjectRetention",
			Effect:   Deny,
			Action:   []string{"bedrock-mantle:CreateProject", "bedrock-mantle:UpdateProject"},
			Resource: []string{"*"},
			Condition: when("StringNotEquals", "bedrock-mantle:DataRetentionMode", project...).
				and(when("Null", "bedrock-mantle:DataRetentionMode", "false")),
		})
}
