package policycases

import "strings"

// Case is a request, and what each document of a configuration must say to it. The
// verdicts are expected by hand, from AWS's documentation and from what Options mean.
type Case struct {
	Config  string // a name of Configs
	Name    string
	Request Request
	// Want has a letter for each of Columns: A where the document lets the request
	// pass, D where it does not, and . where the configuration calls for no such
	// document. Spaces are for the reader. The endpoint's letter is for the request
	// through the endpoint; each other one is the same on both ways.
	Want string
	// Only is the one document that the case is held against. Want has its letter alone.
	Only string
	// Unsimulated is why another evaluator is not asked.
	Unsimulated string
}

// Columns are the documents that the case is held against.
func (c Case) Columns() []string {
	if c.Only != "" {
		return []string{c.Only}
	}
	return Columns()
}

// Letter is the verdict that is expected of a column.
func (c Case) Letter(column int) byte { return strings.ReplaceAll(c.Want, " ", "")[column] }
