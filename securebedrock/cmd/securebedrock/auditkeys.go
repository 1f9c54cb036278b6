package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

func newAuditKeys() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "keys",
		Short: "Make the keys of an audit log",
		Long: `keys makes a MAC key and a signing key, and writes them to a new file that only its owner
can read (mode 0600). It never overwrites a file, and prints no key.

The application reads the file with audit.LoadKeys. A log whose keys are lost can never be
verified. Who holds the keys can write another log: keep the file apart from the log, and
in production keep the keys in a secrets manager.`,
		Example: `  securebedrock audit keys
  securebedrock audit keys -o /etc/claims/audit-keys.json`,
		Args: noArgs,
	}
	c.Flags().StringVarP(&path, "output", "o", "keys.json", "the new `file`")
	_ = c.MarkFlagFilename("output", "json") // the flag is there
	c.RunE = action(func(c *cobra.Command, _ []string) error {
		err := audit.GenerateKeys().Save(path)
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s is there already, and keys never overwrites a file: %w; name another file with -o", path, err)
		}
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.OutOrStdout(), "%s is written. Keep it apart from the log, and keep a copy.\n", path)
		return err
	})
	return c
}
