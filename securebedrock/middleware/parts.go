package middleware

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// Part is a part of a call's input, or a union of parts.
type Part uint8

// The parts of an input. The body of an InvokeModel or StartAsyncInvoke is taken
// apart where it is a conversation: a list of messages, or of chat_history, each
// with a role that is known. Of any other body, such as one prompt with all turns
// in it, all is checked whatever the Parts.
const (
	// PartSystem is the system prompt.
	PartSystem Part = 1 << iota
	// PartUser is what the user's messages hold beside tool results, documents and
	// images among it, and the values of prompt variables.
	PartUser
	// PartAssistant is what the model said and the tools' arguments it gave, in
	// earlier turns.
	PartAssistant
	// PartToolResults are the results of tools, documents and images among them.
	PartToolResults
	// PartFields is all else: AdditionalModelRequestFields, and what is not of a
	// body's conversation, the definitions of tools too.
	PartFields

	// AllParts is all of an input.
	AllParts = PartSystem | PartUser | PartAssistant | PartToolResults | PartFields
)

func (p Part) has(part Part) bool { return p&part != 0 }

// partOf a block of a Converse. A role that is not known is the user's.
func partOf(role types.ConversationRole, b types.ContentBlock) Part {
	if _, ok := b.(*types.ContentBlockMemberToolResult); ok {
		return PartToolResults
	}
	switch role {
	case types.ConversationRoleAssistant:
		return PartAssistant
	case types.ConversationRoleSystem:
		return PartSystem
	}
	return PartUser
}

// body takes what is wanted of an InvokeModel body.
func (c *content) body(raw []byte) {
	if c.parts != AllParts && json.Valid(raw) {
		dec := json.NewDecoder(bytes.NewReader(raw))
		dec.UseNumber()
		doc, plain := readValue(dec)
		if turns := conversationOf(doc); plain && turns {
			var l lines
			c.members(&l, doc)
			c.text(l.String())
			return
		}
	}
	c.json(raw)
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
func (c *content) members(l *lines, doc value) {
	for i, key := range doc.keys {
		member := doc.list[i]
		if isTurns(key) {
			for _, message := range member.list {
				c.turn(l, message, partOfRole(message.word("role")))
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
		if c.parts.has(part) {
			l.add(key)
			c.all(l, member)
		}
	}
}

// turn takes what is wanted of a message: tool results may stand among the user's
// blocks. No deeper: a tool's arguments can look like anything.
func (c *content) turn(l *lines, message value, part Part) {
	for i, key := range message.keys {
		member := message.list[i]
		if c.parts.has(part) {
			l.add(key)
		}
		if key != "content" || member.scalar != nil || member.keys != nil {
			c.wanted(l, member, part)
			continue
		}
		for _, b := range member.list {
			c.bodyBlock(l, b, part)
		}
	}
}

func (c *content) bodyBlock(l *lines, b value, part Part) {
	switch {
	case isToolResult(b):
		part = PartToolResults
		fallthrough
	case b.keys == nil:
		c.wanted(l, b, part)
		return
	}
	for i, key := range b.keys {
		of := part
		if key == "toolResult" { // Nova's
			of = PartToolResults
		}
		if c.parts.has(of) {
			l.add(key)
		}
		c.wanted(l, b.list[i], of)
	}
}

func (c *content) wanted(l *lines, v value, part Part) {
	if c.parts.has(part) {
		c.all(l, v)
	}
}

// isToolResult knows Anthropic's blocks: tool_result, and those of its own tools,
// such as web_search_tool_result.
func isToolResult(v value) bool {
	kind := v.word("type")
	return kind == "tool_result" || strings.HasSuffix(kind, "_tool_result")
}

// all takes every string and number of a value, keys too.
func (c *content) all(l *lines, v value) {
	if c.stopped() || l.size > c.mostText {
		return
	}
	if v.scalar != nil {
		l.token(c, v.scalar)
	}
	for i := range v.list {
		if v.keys != nil {
			l.add(v.keys[i])
		}
		c.all(l, v.list[i])
	}
}
