package main

import (
	"fmt"
	"path/filepath"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

func newPolicies(global *globals) *cobra.Command {
	var dir string
	c := &cobra.Command{
		Use:   "policies -o DIR",
		Short: "Write the policies that demand of the account what the client demands of itself",
		Long: `policies writes a folder of IAM, service control, endpoint, key, bucket and trust policies,
as JSON and as CloudFormation templates, with an index.html that says of each what it is
for, where it is attached, how large it is, and which rule of the client says the same.

The same configuration gives the same bytes. policies replaces only files that it wrote
itself and that nobody has changed since; with another file in the way it writes nothing.
Keep the folder under version control, and a change of the rules is a difference to read.`,
		Example: `  securebedrock policies -o policies
  securebedrock policies -c prod.yaml -o policies/prod && git diff --exit-code policies/prod`,
		Args: noArgs,
	}
	c.Flags().StringVarP(&dir, "output", "o", "", "the `folder`; it is made where it is missing")
	_ = c.MarkFlagDirname("output") // the flag is there
	c.RunE = action(func(c *cobra.Command, _ []string) error {
		if dir == "" {
			return usagef("name the folder: -o DIR")
		}
		spec, err := loadSpec(global.config)
		if err != nil {
			return err
		}
		if err := policy.WriteDir(dir, spec); err != nil {
			return err
		}
		docs, err := policy.All(spec)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, "DOCUMENT\tKIND\tSIZE\tLIMIT")
		for i := range docs {
			fmt.Fprintf(table, "%s\t%s\t%d\t%d\n", docs[i].Name, docs[i].Kind, docs[i].Size(), docs[i].Limit())
		}
		if err := table.Flush(); err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%s in %s; open %s to read what each is for.\n", counted(len(docs), "document"), dir, filepath.Join(dir, "index.html"))
		return err
	})
	return c
}
