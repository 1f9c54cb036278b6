package middleware

import (
	"bytes"
	"encoding/json"
	"strings"
)

// body takes what is wanted of an InvokeModel body.
func (g *gathering) body(raw []byte) {
	if g.parts != AllParts && json.Valid(raw) {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		doc, plain := readValue(dec)
		if turns := conversationOf(doc); plain && turns {
			var l lines
			g.members(&l, doc)
			g.text(l.String())
			return
		}
	}
	g.json(raw)
}

// value is one of JSON, in order. An object's members are in pairs with keys.
type value struct {
	scalar any // string, json.Number; nil for others
	list   []value
	keys   []string // of an object
}

// readValue reads a value of valid JSON. Without plain, an object in it has a key
// twice, and which of them a model reads is not known.
func readValue(dec *json.Decoder) (v value, plain bool) {
	plain = true
	token, err := dec.Token()
	if err != nil {
		return value{}, false
	}
	delim, ok := token.(json.Delim)
	if !ok {
		return value{scalar: token}, true
	}
	seen := map[string]bool{}
	for dec.More() {
		if delim == '{' {
			token, err := dec.Token()
			key, ok := token.(string)
			if err != nil || !ok {
				return value{}, false
			}
			plain = plain && !seen[key]
			seen[key] = true
			v.keys = append(v.keys, key)
		}
		member, p := readValue(dec)
		plain = plain && p
		v.list = append(v.list, member)
	}
	_, err = dec.Token()
	return v, plain && err == nil
}

func (v *value) member(key string) *value {
	for i, k := range v.keys {
		if k == key {
			return &v.list[i]
		}
	}
	return nil
}

func (v *value) word(key string) string {
	if m := v.member(key); m != nil {
		s, _ := m.scalar.(string)
		return strings.ToLower(s)
	}
	return ""
}

// isTurns knows the members of a body that hold messages.
func isTurns(key string) bool { return key == "messages" || key == "chat_history" }

// conversationOf reports whether the body is a conversation whose roles are known.
func conversationOf(doc value) bool {
	found := false
	for i, key := range doc.keys {
		if !isTurns(key) {
			continue
		}
		if doc.list[i].keys != nil { // no list
			return false
		}
		for j := range doc.list[i].list {
			if partOfRole(doc.list[i].list[j].word("role")) == 0 {
				return false
			}
			found = true
		}
	}
	return found
}

// partOfRole knows the roles of Anthropic, Nova, OpenAI, Mistral, AI21 and Cohere.
func partOfRole(role string) Part {
	switch role {
	case "system", "developer":
		return PartSystem
	case "user":
		return PartUser
	case "assistant", "chatbot", "model":
		return PartAssistant
	case "tool", "function":
		return PartToolResults
	}
	return 0
}

// members takes what is wanted of a body that is a conversation.
func (g *gathering) members(l *lines, doc value) {
	for i, key := range doc.keys {
		member := doc.list[i]
		if isTurns(key) {
			for _, message := range member.list {
				g.turn(l, message, partOfRole(message.word("role")))
			}
			continue
		}
		part := PartFields
		switch key {
		case "system", "preamble":
			part = PartSystem
		case "message", "documents":
			part = PartUser
		case "tool_results":
			part = PartToolResults
		}
		if g.parts.has(part) {
			l.add(key)
			g.all(l, member)
		}
	}
}

// turn takes what is wanted of a message: tool results may stand among the user's
// blocks. No deeper: a tool's arguments can look like anything.
func (g *gathering) turn(l *lines, message value, part Part) {
	for i, key := range message.keys {
		member := message.list[i]
		if g.parts.has(part) {
			l.add(key)
		}
		if key != "content" || member.scalar != nil || member.keys != nil {
			g.wanted(l, member, part)
			continue
		}
		for _, b := range member.list {
			g.bodyBlock(l, b, part)
		}
	}
}

func (g *gathering) bodyBlock(l *lines, b value, part Part) {
	switch {
	case isToolResult(b):
		part = PartToolResults
		fallthrough
	case b.keys == nil:
		g.wanted(l, b, part)
		return
	}
	for i, key := range b.keys {
		of := part
		if key == "toolResult" { // Nova's
			of = PartToolResults
		}
		if g.parts.has(of) {
			l.add(key)
		}
		g.wanted(l, b.list[i], of)
	}
}

func (g *gathering) wanted(l *lines, v value, part Part) {
	if g.parts.has(part) {
		g.all(l, v)
	}
}

// isToolResult knows Anthropic's blocks: tool_result, and those of its own tools,
// such as web_search_tool_result.
func isToolResult(v value) bool {
	kind := v.word("type")
	return kind == "tool_result" || strings.HasSuffix(kind, "_tool_result")
}

// all takes every string and number of a value, keys too.
func (g *gathering) all(l *lines, v value) {
	if g.stopped() || l.size > g.mostText {
		return
	}
	if v.scalar != nil {
		l.token(g, v.scalar)
	}
	for i := range v.list {
		if v.keys != nil {
			l.add(v.keys[i])
		}
		g.all(l, v.list[i])
	}
}
