package main

import "github.com/spf13/cobra"

// needsCommand is the function of a command that only groups others. Cobra would print
// the help and succeed.
func needsCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return usagef("name a command: %s", names(c))
	}
	near := c.SuggestionsFor(args[0])
	if len(near) > 0 {
		return usagef("%q is no command; did you mean %s?", args[0], near[0])
	}
	return usagef("%q is no command; name one of %s", args[0], names(c))
}

func names(c *cobra.Command) string {
	list := ""
	for _, sub := range c.Commands() {
		if !sub.IsAvailableCommand() || sub.Name() == "help" {
			continue
		}
		if list != "" {
			list += ", "
		}
		list += sub.Name()
	}
	return list
}
