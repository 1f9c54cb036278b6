package main

import "github.com/spf13/cobra"

func newAudit() *cobra.Command {
	c := &cobra.Command{
		Use:   "audit",
		Short: "Make the keys of an audit log, and verify a log",
		Long: `audit works on the logs of package securebedrock/audit: lines of JSON in a chain of MACs
with signed checkpoints.`,
		RunE: needsCommand,
		Args: cobra.ArbitraryArgs, // needsCommand judges them

		SuggestionsMinimumDistance: 2,
	}
	c.AddCommand(newAuditKeys(), newAuditVerify())
	return c
}
