package main

import "github.com/spf13/cobra"

func noArgs(c *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usagef("%s takes no argument, and %q is one", c.CommandPath(), args[0])
	}
	return nil
}

// oneArg demands one argument.
func oneArg(what, example string) cobra.PositionalArgs {
	return func(_ *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return usagef("name %s, such as %s", what, example)
		case 1:
			return nil
		}
		return usagef("name one argument, %s; %q is another", what, args[1])
	}
}
