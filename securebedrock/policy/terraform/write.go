package terraform

import (
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/hashicorp/hcl/v2/hclwrite"
)

// comment writes a text as comment lines. No line break of the text ends the comment.
func comment(body *hclwrite.Body, text string) {
	if text == "" {
		return
	}
	var line strings.Builder
	flush := func() {
		body.AppendUnstructuredTokens(hclwrite.Tokens{{Type: hclsyntax.TokenComment, Bytes: []byte("#" + line.String() + "\n")}})
		line.Reset()
	}
	for _, word := range strings.Fields(text) {
		if line.Len() > 0 && line.Len()+len(word) > 88 {
			flush()
		}
		line.WriteString(" " + word)
	}
	flush()
}

// traversal is a reference such as var.name.
func traversal(root, name string) hcl.Traversal {
	return hcl.Traversal{hcl.TraverseRoot{Name: root}, hcl.TraverseAttr{Name: name}}
}

// labelOf makes an identifier of a name.
func labelOf(name string) string {
	label := strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' {
			return c
		}
		return '_'
	}, name)
	label = strings.ReplaceAll(label, "-", "_")
	if label == "" || label[0] >= '0' && label[0] <= '9' {
		label = "_" + label
	}
	return label
}

// shorten cuts a text to a number of characters.
func shorten(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit-1]) + "…"
	}
	return text
}
