package main

import "github.com/spf13/cobra"

// newHelp replaces cobra's help, which succeeds for a command that does not exist.
func newHelp() *cobra.Command {
	return &cobra.Command{
		Use:   "help [COMMAND]",
		Short: "Tell about a command",
		Args:  cobra.ArbitraryArgs,
		RunE: action(func(c *cobra.Command, args []string) error {
			about, rest, err := c.Root().Find(args)
			if err != nil {
				return usagef("%w", err)
			}
			if len(rest) > 0 {
				return needsCommand(about, rest)
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		}),
	}
}
