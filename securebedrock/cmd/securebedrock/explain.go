package main

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

func newExplain(global *globals) *cobra.Command {
	var call policy.Call
	c := &cobra.Command{
		Use:   "explain MODEL",
		Short: "Say which policy lets a call through or stops it",
		Long: `explain lists everything that AWS authorizes for one call of the client, with the document
and the statement that decide: the inference profile, the model in each destination region,
the guardrail, and the key. It answers an AccessDenied that names a region nobody asked for.

The documents are those that "securebedrock policies" writes. explain asks no account, so
that other policies there are not seen: whether a role may be assumed is undecided. The exit
code is 1 where something is denied, or where the client itself refuses the call.

An operation without a model, such as ApplyGuardrail, takes no argument.`,
		Example: `  securebedrock explain anthropic.claude-3-haiku-20240307-v1:0
  securebedrock explain eu.anthropic.claude-3-haiku-20240307-v1:0 --operation ConverseStream
  securebedrock explain --operation ApplyGuardrail
  securebedrock explain amazon.nova-lite-v1:0 --principal arn:aws:iam::123456789012:role/other`,
		ValidArgsFunction: func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
			opts, _, err := configfile.Load(global.config)
			if err != nil || len(args) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return opts.Models, cobra.ShellCompDirectiveNoFileComp
		},
	}
	flags := c.Flags()
	flags.StringVar(&call.Operation, "operation", "", "the client's `method` (default Converse)")
	flags.StringVar(&call.Principal, "principal", "", "the `ARN` of the role or user that calls (default the role of the configuration)")
	flags.BoolVar(&call.ThroughEndpoint, "through-endpoint", false, "the call goes through the VPC endpoints of the configuration")
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 && call.Operation != "" {
			return nil
		}
		return oneArg("a model", "anthropic.claude-3-haiku-20240307-v1:0")(c, args)
	}
	c.RunE = action(func(c *cobra.Command, args []string) error {
		spec, err := loadSpec(global.config)
		if err != nil {
			return err
		}
		if len(args) > 0 {
			call.Model = args[0]
		}
		list, err := policy.Explain(spec, call)
		switch {
		case errors.Is(err, securebedrock.ErrConfig):
			return usagef("%w", err)
		case refusedByClient(err):
			fmt.Fprintf(c.OutOrStdout(), "refused: %s\n", strings.TrimPrefix(err.Error(), "policy: "))
			return finding()
		case err != nil:
			return err
		}
		return tellAuthorizations(c, list)
	})
	return c
}

// refusedByClient reports an error that wraps a rule of the client.
func refusedByClient(err error) bool {
	return securebedrock.RuleName(err) != ""
}

// tellAuthorizations prints a table, and the reason of each line that is not allowed.
func tellAuthorizations(c *cobra.Command, list []policy.Authorization) error {
	table := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "VERDICT\tREGION\tACTION\tDECIDED BY\tRESOURCE")
	count := make(map[string]int)
	for i := range list {
		verdict := verdictOf(&list[i])
		count[verdict]++
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", verdict, list[i].Region, list[i].Action, decider(&list[i].Decision), list[i].Resource)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	out := c.OutOrStdout()
	fmt.Fprintln(out)
	for i := range list {
		if verdictOf(&list[i]) != verdictAllowed {
			fmt.Fprintf(out, "%s\n\n", list[i])
		}
	}
	if n := count[verdictDenied]; n > 0 {
		fmt.Fprintf(out, "The policies stop the call: %d of %s denied.\n", n, counted(len(list), "authorization"))
		return finding()
	}
	rest := "all allowed"
	if n := count[verdictUndecided]; n > 0 {
		rest = fmt.Sprintf("%d allowed, %d for others to decide", count[verdictAllowed], n)
	}
	_, err := fmt.Fprintf(out, "The policies let the call through: %s, %s.\n", counted(len(list), "authorization"), rest)
	return err
}

const (
	verdictAllowed   = "allowed"
	verdictDenied    = "denied"
	verdictUndecided = "undecided"
)

func verdictOf(a *policy.Authorization) string {
	switch {
	case a.Undecided != "":
		return verdictUndecided
	case a.Decision.Allowed:
		return verdictAllowed
	}
	return verdictDenied
}

// decider names the statement that decided.
func decider(d *policy.Decision) string {
	switch {
	case d.Document == "":
		return "-"
	case d.Sid == "":
		return d.Document
	}
	return d.Document + "/" + d.Sid
}
