package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// answers are what init asks or takes from flags.
type answers struct {
	region, guardrail, version, unguarded string
	residency, models                     []string
	role, account, organization           string
}

func newInit(global *globals) *cobra.Command {
	var a answers
	var ask, example bool
	c := &cobra.Command{
		Use:   "init",
		Short: "Write a configuration file with a comment on each key",
		Long: `init writes a configuration file. It takes the values from flags. On a terminal it asks
where the region or the guardrail is missing; with --ask it asks for everything that no
flag gives, on any input. It never overwrites a file.

The file holds the keys that have a value. "securebedrock init --example" prints a file
with every key, which no configuration needs.`,
		Example: `  securebedrock init                                   # asks
  securebedrock init --region eu-central-1 --guardrail 0example0000 --guardrail-version 1
  securebedrock init -c prod.yaml --region ap-northeast-1 --residency ap-northeast-3 \
    --guardrail 0example0000 --guardrail-version 1 \
    --model jp.anthropic.claude-3-haiku-20240307-v1:0 --account 123456789012
  securebedrock init --example > example.yaml`,
		Args: noArgs,
	}
	flags := c.Flags()
	flags.StringVar(&a.region, "region", "", "the one `region` that is called")
	flags.StringSliceVar(&a.residency, "residency", nil, "`regions` in which inference may also run; repeat, or part by commas")
	flags.StringVar(&a.guardrail, "guardrail", "", "the guardrail's `ID` or ARN")
	flags.StringVar(&a.version, "guardrail-version", "", "the guardrail's published version, a `number`")
	flags.StringVar(&a.unguarded, "unguarded", "", "the `reason` for having no guardrail")
	flags.StringSliceVar(&a.models, "model", nil, "a model or profile `ID` that may be called, * for any characters; repeat")
	flags.StringVar(&a.role, "role", "", "the `ARN` of a role to assume")
	flags.StringVar(&a.account, "account", "", "the account's twelve `digits`, which the policies need")
	flags.StringVar(&a.organization, "organization", "", "the organisation's `ID`")
	flags.BoolVar(&ask, "ask", false, "ask for what no flag gives, also where the input is no terminal")
	flags.BoolVar(&example, "example", false, "print a file with every key, and write none")
	c.RunE = action(func(c *cobra.Command, _ []string) error {
		if example {
			_, err := io.WriteString(c.OutOrStdout(), configfile.Example())
			return err
		}
		if _, err := os.Lstat(global.config); err == nil { // before any question
			return existsAlready(global.config)
		}
		if ask || a.incomplete() && isTerminal(c.InOrStdin()) {
			if err := a.ask(newDialogue(c.InOrStdin(), c.ErrOrStderr())); err != nil {
				return err
			}
		}
		if a.incomplete() {
			return usagef("a region is needed, and a guardrail or the reason for having none: give --region, --guardrail and --guardrail-version, or --ask")
		}
		text, err := configfile.Marshal(a.options())
		if err != nil {
			return usagef("%w", err)
		}
		if err := create(global.config, text); err != nil {
			return err
		}
		out := c.OutOrStdout()
		fmt.Fprintf(out, "%s is written. Read it, and keep it with the application.\n", global.config)
		if a.account == "" {
			fmt.Fprintln(out, "The policies also need the account: add account with its id.")
		} else {
			fmt.Fprintf(out, "Next: securebedrock policies -c %s -o policies\n", global.config)
		}
		return nil
	})
	return c
}

// incomplete reports that no file can be written yet.
func (a *answers) incomplete() bool {
	return a.region == "" || a.guardrail == "" && a.unguarded == ""
}

func (a *answers) options() (securebedrock.Options, policy.Account) {
	opts := securebedrock.Options{
		Region: a.region, Residency: a.residency, Models: a.models, Unguarded: a.unguarded,
		Guardrail: securebedrock.Guardrail{ID: a.guardrail, Version: a.version},
	}
	if a.role != "" {
		opts.Role = &securebedrock.Role{ARN: a.role}
	}
	return opts, policy.Account{ID: a.account, Organization: a.organization}
}

// ask asks for what no flag gave.
func (a *answers) ask(d *dialogue) error {
	for _, q := range []struct {
		text   string
		into   *string
		list   *[]string
		needed bool
		skip   func() bool
	}{
		{text: "Region that is called, such as eu-central-1", into: &a.region, needed: true},
		{text: "Other regions in which inference may run, parted by commas (none)", list: &a.residency},
		{text: "Guardrail, ID or ARN (none)", into: &a.guardrail, skip: func() bool { return a.unguarded != "" }},
		{text: "Reason for calls without a guardrail", into: &a.unguarded, needed: true, skip: func() bool { return a.guardrail != "" }},
		{text: "Published version of the guardrail, a number", into: &a.version, needed: true, skip: func() bool { return a.guardrail == "" }},
		{text: "Models that may be called, parted by commas, * for any characters (any model)", list: &a.models},
		{text: "Role to assume, ARN (none)", into: &a.role},
		{text: "Account, twelve digits, for the policies (none)", into: &a.account},
		{text: "Organisation, o-… (none)", into: &a.organization, skip: func() bool { return a.account == "" }},
	} {
		given := q.into != nil && *q.into != "" || q.list != nil && len(*q.list) > 0
		if given || q.skip != nil && q.skip() {
			continue
		}
		answer, err := d.ask(q.text, q.needed)
		if err != nil {
			return err
		}
		if q.into != nil {
			*q.into = answer
			continue
		}
		for _, one := range strings.Split(answer, ",") {
			if one = strings.TrimSpace(one); one != "" {
				*q.list = append(*q.list, one)
			}
		}
	}
	return nil
}

func existsAlready(path string) error {
	return fmt.Errorf("%s is there already, and init never overwrites a file: %w; name another file with --config", path, fs.ErrExist)
}

// create writes a new file, wholly or not at all.
func create(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) // it holds no secret, and auditors read it
	if errors.Is(err, fs.ErrExist) {
		return existsAlready(path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
