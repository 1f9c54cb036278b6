package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// records is an audit sink that keeps the outcome of each call: as a line of JSON,
// and as a row of a table.
type records struct {
	lines bytes.Buffer
	rows  [][]string
}

// Write keeps outcomes. An intent is for readers who look for calls that never ended.
func (rs *records) Write(ctx context.Context, r *audit.Record) error {
	if r.Kind != audit.KindOutcome {
		return nil
	}
	rs.rows = append(rs.rows, []string{fmt.Sprint(len(rs.rows) + 1), mayRunIn(r), tokens(r), guardrail(r), result(r)})
	return audit.JSONLines(&rs.lines).Write(ctx, r)
}

// table prints a row for each call.
func (rs *records) table(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "   CALL\tMAY RUN IN\tTOKENS\tGUARDRAIL\tRESULT")
	for _, row := range rs.rows {
		fmt.Fprintln(t, "   "+strings.Join(row, "\t"))
	}
	return t.Flush()
}

const nothing = "-"

func mayRunIn(r *audit.Record) string {
	if r.Refused || r.Model == nil || len(r.Model.Regions) == 0 {
		return nothing
	}
	if n := len(r.Model.Regions); n > 1 {
		return fmt.Sprintf("%d regions", n)
	}
	return r.Model.Regions[0]
}

func tokens(r *audit.Record) string {
	if r.Usage == nil {
		return nothing
	}
	return fmt.Sprint(r.Usage.TotalTokens)
}

func guardrail(r *audit.Record) string {
	switch g := r.Guardrail; {
	case g == nil || !g.Applied:
		return nothing
	case g.Intervened:
		return strings.Join(g.Policies, " ")
	}
	return "applied"
}

func result(r *audit.Record) string {
	switch {
	case r.Error != nil && r.Error.Rule != "":
		return r.Error.Class + ": " + r.Error.Rule
	case r.Error != nil:
		return r.Error.Class
	case r.StopReason == "guardrail_intervened":
		return "blocked"
	case r.Guardrail != nil && r.Guardrail.Intervened:
		return "masked, answered"
	}
	return "answered"
}
