package policy

import (
	"bytes"
	_ "embed" // page.html
	"fmt"
	"html/template"
	"strconv"
)

//go:embed page.html
var pageHTML string

// indexPage returns an HTML page about the documents of a Spec: what each is for, where it is
// attached, its size against the limit, and the rule of the client that says the same.
// The page links to each document as NAME.json and to the templates, which are names of
// files beside the page. It needs no script and loads nothing. The same documents give
// the same bytes.
func indexPage(s *Spec, docs []Document, templates ...string) ([]byte, error) {
	page, err := template.New("page").Parse(pageHTML)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	err = page.Execute(&out, struct {
		Title, Lead, Count string
		Relaxations        []Relaxation
		Templates          []string
		Groups             []pageGroup
	}{
		Title: "Bedrock policies of account " + s.account,
		Lead: fmt.Sprintf("These documents are derived from the configuration of the guarded client in %s. "+
			"Attached as each says, they hold every program to the limits of that client.", s.region),
		Count:       plural(len(docs), "document"),
		Relaxations: Relaxations(s),
		Templates:   templates,
		Groups:      pageGroups(docs),
	})
	return out.Bytes(), err
}

// pageGroup is a section of the page.
type pageGroup struct {
	ID, Title string
	Documents []pageDocument
}

// pageDocument is what the page says of a document.
type pageDocument struct {
	Name, File, Kind, Purpose, Attach, Mirrors string
	Size, Limit, High                          int
	Sizes, Percent, WhiteSpace, Text           string
}

// pageGroups sorts the documents into sections. The order within a section stays.
func pageGroups(docs []Document) []pageGroup {
	groups := []pageGroup{
		{ID: "identities", Title: "Identities in the account"},
		{ID: "network", Title: "Network"},
		{ID: "resources", Title: "Resources"},
		{ID: "organization", Title: "Organisation"},
		{ID: "other", Title: "Other"},
	}
	for _, d := range docs {
		at := &groups[d.Kind.section()]
		at.Documents = append(at.Documents, describe(d))
	}
	var used []pageGroup
	for _, g := range groups {
		if len(g.Documents) > 0 {
			used = append(used, g)
		}
	}
	return used
}

// section is an index of pageGroups.
func (k Kind) section() int {
	switch k {
	case KindManaged, KindBoundary, KindInline, KindSession, KindTrust:
		return 0
	case KindEndpoint:
		return 1
	case KindKey, KindBucket, KindGuardrail, KindLogs:
		return 2
	case KindSCP, KindRCP, KindBedrock:
		return 3
	}
	return 4
}

func describe(d Document) pageDocument {
	file, white := d.file(), "White space does not count; the file is indented."
	if d.Kind.facts().whiteSpace {
		white = "White space counts; the file has none."
	}
	// The size is that of the file, since the file is what AWS is given.
	size, limit := d.Kind.measure(file), d.Limit()
	share := 0
	if limit > 0 {
		share = (size*100 + limit - 1) / limit
	}
	return pageDocument{
		Name: d.Name, File: d.Name + ".json", Kind: d.Kind.title(), Purpose: d.Purpose, Attach: d.Attach, Mirrors: d.Mirrors,
		Size: size, Limit: limit, High: limit * 9 / 10,
		Sizes:      fmt.Sprintf("%s of %s %s", thousands(size), thousands(limit), d.Kind.unit()),
		Percent:    strconv.Itoa(share) + "%",
		WhiteSpace: white, Text: d.Indented(),
	}
}

// title is the kind's name in AWS's documentation.
func (k Kind) title() string {
	switch k {
	case KindManaged:
		return "Managed policy"
	case KindBoundary:
		return "Permissions boundary"
	case KindInline:
		return "Inline policy"
	case KindSession:
		return "Session policy"
	case KindTrust:
		return "Role trust policy"
	case KindSCP:
		return "Service control policy"
	case KindRCP:
		return "Resource control policy"
	case KindEndpoint:
		return "VPC endpoint policy"
	case KindKey:
		return "KMS key policy"
	case KindBucket:
		return "S3 bucket policy"
	case KindGuardrail:
		return "Guardrail resource policy"
	case KindLogs:
		return "CloudWatch Logs resource policy"
	case KindBedrock:
		return "Organisation's Bedrock policy"
	}
	return string(k)
}

// thousands writes 10240 as 10,240.
func thousands(n int) string {
	text := strconv.Itoa(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return strconv.Itoa(n) + " " + word
}
