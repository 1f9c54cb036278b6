package main

import "github.com/spf13/cobra"

// commands lists the commands in the order of the help. A new command is one file with a
// constructor, and one line here.
func commands(global *globals) []*cobra.Command {
	return []*cobra.Command{
		newInit(global),
		newPolicies(global),
		newExplain(global),
		newAudit(),
		newProxy(global),
		newCompletion(),
		newVersion(),
	}
}

func newRoot() *cobra.Command {
	var global globals
	root := &cobra.Command{
		Use:   "securebedrock",
		Short: "One configuration for a guarded Bedrock client and for the account under it",
		Long: `securebedrock works on the configuration file that a guarded Bedrock client runs on.
It writes the IAM policies that demand the same of every other program in the account,
says which policy lets a call through or stops it, verifies audit logs, and serves the
guarded client to the SDKs of other languages.

Every command but proxy works offline, takes no setting from the environment, and writes the
same output for the same input. Results go to stdout, errors to stderr.

Exit codes:
  0  success
  1  a finding: a call that is denied, a log that does not verify
  2  the command line is wrong
  3  a fault: the configuration is not valid, or a file cannot be read or written`,
		Example: `  securebedrock init --region eu-central-1 --guardrail 0example0000 --guardrail-version 1 \
    --model anthropic.claude-3-haiku-20240307-v1:0 --account 123456789012
  securebedrock policies -o policies
  securebedrock explain anthropic.claude-3-haiku-20240307-v1:0
  securebedrock audit verify audit.log
  securebedrock proxy`,
		RunE:                       needsCommand,
		Args:                       cobra.ArbitraryArgs, // needsCommand judges them
		SuggestionsMinimumDistance: 2,
		SilenceErrors:              true,
		SilenceUsage:               true,
	}
	root.PersistentFlags().StringVarP(&global.config, "config", "c", "securebedrock.yaml", "the configuration `file`")
	_ = root.MarkPersistentFlagFilename("config", "yaml", "yml") // the flag is there
	root.SetHelpCommand(newHelp())
	root.AddCommand(commands(&global)...)
	return root
}
