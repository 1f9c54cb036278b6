package configfile

import (
	"errors"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"github.com/securebedrock/securebedrock-go/internal/refusal"
)

// node is a value of the file: the part of YAML that a configuration needs.
type node struct {
	at   place
	kind kind
	text string // of a scalar: the string itself, or a plain word as it stands
	// resolved says that YAML takes a plain word for something else than text.
	resolved bool
	keys     []entry
	list     []*node
}

type entry struct {
	name  string
	at    place
	value *node
}

type kind string

// The kinds, as an error names them.
const (
	kindNothing kind = "nothing"
	kindString  kind = "text"
	kindWord    kind = "a plain word" // unquoted: what it means depends on the key
	kindMap     kind = "a mapping"
	kindList    kind = "a list"
)

// parse makes the tree of a text that checkText has passed. It returns nil where there
// is a fault.
func (f *faults) parse(text string) (root *node) {
	// go-yaml's parser walks its tokens by hand. A panic in it must not end the
	// application.
	defer func() {
		if recover() != nil {
			f.add(place{}, "", "the file is not YAML that can be read; write plain keys and values")
			root = nil
		}
	}()
	tokens := lexer.Tokenize(text)
	if !f.checkTokens(tokens) {
		return nil
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		f.syntax(err)
		return nil
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	switch {
	case len(bodies) == 0:
		f.add(place{}, "", "the file has no keys; write region and guardrail at least")
		return nil
	case len(bodies) > 1:
		f.add(positionOf(bodies[1].GetToken()), "", "a second document; a file holds one")
		return nil
	}
	before := len(f.list)
	root = f.node(bodies[0], "", 0)
	if len(f.list) > before {
		return nil
	}
	if root.kind != kindMap {
		f.add(root.at, "", "the file holds %s; write keys with values", root.kind)
		return nil
	}
	return root
}

// checkTokens refuses the parts of YAML by which a value stands elsewhere than it is
// used, and brackets deep enough to keep the parser busy.
func (f *faults) checkTokens(tokens token.Tokens) bool {
	depth := 0
	for _, t := range tokens {
		refused := ""
		switch t.Type {
		case token.SequenceStartType, token.MappingStartType:
			depth++
		case token.SequenceEndType, token.MappingEndType:
			depth--
		case token.AnchorType, token.AliasType:
			refused = "an anchor or an alias; write the value where it is used"
		case token.MergeKeyType:
			refused = "a merge key; write the keys where they are used"
		case token.TagType:
			refused = "a tag; leave it out, and quote what is text"
		case token.DirectiveType:
			refused = "a directive; leave it out"
		case token.MappingKeyType:
			refused = "a key after a question mark; write key: value"
		case token.MappingValueType:
			// In braces, go-yaml takes the first colon of model-v1:0 for the key's end.
			if !f.spaceAfter(t.Position) {
				f.add(place{t.Position.Line, t.Position.Column}, "", "a colon without a space after it; put text with a colon in quotes, or write a space")
				return false
			}
		}
		if depth > maxDepth {
			refused = fmt.Sprintf("brackets more than %d deep", maxDepth)
		}
		if refused != "" {
			f.add(positionOf(t), "", "%s", refused)
			return false
		}
	}
	return true
}

// spaceAfter reports whether the character at a position is the last of its line or has a
// space after it.
func (f *faults) spaceAfter(p *token.Position) bool {
	if p == nil || p.Line < 1 || p.Line > len(f.lines) {
		return false
	}
	line := []rune(f.lines[p.Line-1])
	return p.Column >= len(line) || line[p.Column] == ' '
}

// node converts a node of go-yaml.
func (f *faults) node(n ast.Node, path string, depth int) *node {
	made := &node{kind: kindNothing}
	if n == nil {
		return made
	}
	made.at = positionOf(n.GetToken())
	if depth > maxDepth {
		f.add(made.at, path, "values more than %d deep", maxDepth)
		return made
	}
	switch n := n.(type) {
	case *ast.MappingNode:
		f.mapping(made, n.Values, path, depth)
	case *ast.MappingValueNode:
		f.mapping(made, []*ast.MappingValueNode{n}, path, depth)
	case *ast.SequenceNode:
		made.kind, made.at = kindList, positionOf(n.Start)
		for i, v := range n.Values {
			entry := f.node(v, fmt.Sprintf("%s[%d]", path, i), depth+1)
			if i < len(n.Entries) && n.Entries[i] != nil { // after a dash
				f.checkIndent(positionOf(n.Entries[i].Start), entry, 1)
			}
			made.list = append(made.list, entry)
		}
	case *ast.StringNode:
		made.kind, made.text = kindString, n.Value
		if n.Token.Type == token.StringType { // unquoted
			made.kind = kindWord
		}
		f.checkVerbatim(n.Token, n.Value)
	case *ast.LiteralNode:
		f.add(positionOf(n.Start), path, "a text over several lines; write it on one line, in quotes where needed")
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		made.kind, made.text, made.resolved = kindWord, n.GetToken().Value, true
		f.checkVerbatim(n.GetToken(), made.text)
	case *ast.NullNode:
	default:
		f.add(made.at, path, "a %s, which a configuration does not need", n.Type())
	}
	f.checkScalar(made, path)
	return made
}

func (f *faults) mapping(made *node, values []*ast.MappingValueNode, path string, depth int) {
	made.kind = kindMap
	if len(values) > 0 {
		made.at = positionOf(values[0].Key.GetToken())
	}
	for _, v := range values {
		e := entry{at: positionOf(v.Key.GetToken())}
		switch key := v.Key.(type) {
		case *ast.StringNode:
			e.name = key.Value
		default: // 1: or true: is what it looks like
			e.name = v.Key.GetToken().Value
		}
		if !f.checkVerbatim(v.Key.GetToken(), e.name) || !f.colonOnLine(v) {
			continue
		}
		at := join(path, e.name)
		if f.checkKey(e, at) {
			e.value = f.node(v.Value, at, depth+1)
			switch e.value.kind {
			case kindNothing:
				e.value.at = e.at
			case kindList: // its dashes may stand below the key
				f.checkIndent(e.at, e.value, 0)
			default:
				f.checkIndent(e.at, e.value, 1)
			}
			made.keys = append(made.keys, e)
		}
	}
}

// colonOnLine refuses a colon on another line than its key, and a text on another line
// than its colon.
func (f *faults) colonOnLine(v *ast.MappingValueNode) bool {
	key, colon := positionOf(v.Key.GetToken()), v.Start.Position
	sound := colon.Line == key.line
	switch v.Value.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode, *ast.NullNode:
	default:
		sound = sound && positionOf(v.Value.GetToken()).line == key.line
	}
	if !sound {
		f.add(key, "", "the key, its colon and its text stand on different lines; write key: text on one line")
	}
	return sound
}

// checkIndent refuses a value on a later line that is not indented below its key or dash:
// after an empty dash, go-yaml takes the next key of the file into the list.
func (f *faults) checkIndent(above place, value *node, by int) {
	if value.kind != kindNothing && value.at.line != above.line && value.at.column < above.column+by {
		f.add(above, "", "the value below is not indented; indent it, or write a value here")
	}
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// syntax notes go-yaml's fault. Its own text would show three lines of the file.
func (f *faults) syntax(err error) {
	var bad *yaml.SyntaxError
	if !errors.As(err, &bad) {
		f.add(place{}, "", "the file is not YAML")
		return
	}
	words := strings.Fields(bad.Message)
	for i, w := range words {
		if !refusal.Repeatable(w) {
			words[i] = "***"
		}
	}
	f.add(positionOf(bad.Token), "", "%s", strings.Join(words, " "))
}

func positionOf(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{}
	}
	at := place{t.Position.Line, t.Position.Column}
	if t.Type == token.MappingValueType && t.Prev != nil && t.Prev.Position != nil { // the colon of "key: …"
		return place{t.Prev.Position.Line, t.Prev.Position.Column}
	}
	return at
}
