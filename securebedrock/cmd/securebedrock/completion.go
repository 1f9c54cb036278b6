package main

import (
	"github.com/spf13/cobra"
)

func newCompletion() *cobra.Command {
	shells := []string{"bash", "fish", "powershell", "zsh"}
	return &cobra.Command{
		Use:   "completion SHELL",
		Short: "Print the completion script of a shell",
		Long: `completion prints a script that completes commands, flags and models in a shell: bash, fish,
powershell or zsh. Bash needs the package bash-completion.`,
		Example: `  source <(securebedrock completion bash)
  securebedrock completion fish > ~/.config/fish/completions/securebedrock.fish
  securebedrock completion zsh > "${fpath[1]}/_securebedrock"`,
		ValidArgs: shells,
		Args:      oneArg("a shell", "bash"),
		RunE: action(func(c *cobra.Command, args []string) error {
			out, root := c.OutOrStdout(), c.Root()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			case "zsh":
				return root.GenZshCompletion(out)
			}
			return usagef("%q is no shell that is known; use one of %v", args[0], shells)
		}),
	}
}
