package policy

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
)

// version is the policy language's version.
const version = "2012-10-17"

// MarshalJSON writes the document without white space. The same document gives the same
// bytes: the elements stand in AWS's order, operators and keys are sorted, and a list of
// one value is written as the value.
func (d Document) MarshalJSON() ([]byte, error) { return d.appendJSON(nil), nil }

// JSON returns the document without white space, which is what a kind counts in which
// white space counts.
func (d Document) JSON() string { return string(d.appendJSON(make([]byte, 0, 4<<10))) }

// Indented returns the document for a reader, with a tab a level and a line break at the
// end.
func (d Document) Indented() string {
	var out bytes.Buffer
	if json.Indent(&out, d.appendJSON(nil), "", "\t") != nil {
		return d.JSON()
	}
	out.WriteByte('\n')
	return out.String()
}

// appendJSON appends the document without white space to b.
func (d Document) appendJSON(b []byte) []byte {
	if d.Declarative != nil {
		return d.Declarative.appendJSON(b)
	}
	b = append(b, `{"Version":"`+version+`"`...)
	if d.ID != "" {
		b = appendString(append(b, `,"Id":`...), d.ID)
	}
	b = append(b, `,"Statement":[`...)
	for i := range d.Statements {
		if i > 0 {
			b = append(b, ',')
		}
		b = d.Statements[i].appendJSON(b)
	}
	return append(b, "]}"...)
}

func (s *Statement) appendJSON(b []byte) []byte {
	b = append(b, '{')
	if s.Sid != "" {
		b = append(appendString(append(b, `"Sid":`...), s.Sid), ',')
	}
	b = appendString(append(b, `"Effect":`...), string(s.Effect))
	b = s.Principal.appendJSON(b, "Principal")
	b = s.NotPrincipal.appendJSON(b, "NotPrincipal")
	b = appendElement(b, "Action", s.Action)
	b = appendElement(b, "NotAction", s.NotAction)
	b = appendElement(b, "Resource", s.Resource)
	b = appendElement(b, "NotResource", s.NotResource)
	if len(s.Condition) > 0 {
		b = append(b, `,"Condition":{`...)
		for i, operator := range slices.Sorted(maps.Keys(s.Condition)) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendString(b, operator), ":{"...)
			keys := s.Condition[operator]
			for j, key := range slices.Sorted(maps.Keys(keys)) {
				if j > 0 {
					b = append(b, ',')
				}
				b = appendValues(append(appendString(b, key), ':'), keys[key])
			}
			b = append(b, '}')
		}
		b = append(b, '}')
	}
	return append(b, '}')
}

func (p *Principal) appendJSON(b []byte, element string) []byte {
	if p == nil {
		return b
	}
	b = append(appendString(append(b, ','), element), ':')
	if p.Any {
		return append(b, `"*"`...)
	}
	b = append(b, '{')
	first := true
	for _, part := range []struct {
		name   string
		values []string
	}{{"AWS", p.AWS}, {"Service", p.Service}, {"Federated", p.Federated}, {"CanonicalUser", p.CanonicalUser}} {
		if len(part.values) == 0 {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendValues(append(appendString(b, part.name), ':'), part.values)
	}
	return append(b, '}')
}

// appendElement leaves out an empty list.
func appendElement(b []byte, name string, values []string) []byte {
	if len(values) == 0 {
		return b
	}
	return appendValues(append(appendString(append(b, ','), name), ':'), values)
}

func appendValues(b []byte, values []string) []byte {
	if len(values) == 1 {
		return appendString(b, values[0])
	}
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, v)
	}
	return append(b, ']')
}

// appendString leaves <, > and & as they are, which encoding/json would write in six
// characters each.
func appendString(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '"' || c == '\\' {
			plain = false
			break
		}
	}
	if plain {
		return append(append(append(b, '"'), s...), '"')
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if enc.Encode(s) != nil { // a string always encodes
		return append(b, `""`...)
	}
	return append(b, bytes.TrimSuffix(out.Bytes(), []byte("\n"))...)
}

// appendJSON writes the syntax of Organizations User Guide
// orgs_manage_policies_bedrock_syntax.
func (g *GuardrailInference) appendJSON(b []byte) []byte {
	assign := func(b []byte, values ...string) []byte {
		b = append(b, `{"@@assign":`...)
		return append(appendValues(b, values), '}')
	}
	list := func(b []byte, name string, values []string) []byte {
		b = append(appendString(b, name), `:{"@@assign":[`...)
		for i, v := range values {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendString(b, v)
		}
		return append(b, "]}"...)
	}
	b = append(b, `{"bedrock":{"guardrail_inference":{`...)
	for i, r := range g.Guardrails {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, r.Region), `:{"config_1":{"identifier":`...)
		b = assign(b, r.ARN+":"+r.Version)
		b = append(b, `,"selective_content_guarding":{"system":`...)
		b = assign(b, "comprehensive")
		b = append(b, `,"messages":`...)
		b = assign(b, "comprehensive")
		b = append(b, `},"model_enforcement":{`...)
		included := r.IncludedModels
		if len(included) == 0 {
			included = []string{"ALL"}
		}
		b = list(b, "included_models", included)
		b = list(append(b, ','), "excluded_models", r.ExcludedModels)
		b = append(b, "}}}"...)
	}
	return append(b, "}}}"...)
}
