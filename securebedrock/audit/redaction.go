package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// foreignRedactor is a Redactor of the application's.
type foreignRedactor struct {
	Redactor
	lane *lane
}

// redactMargin is what is taken off the end of a redacted text that was cut, where
// the beginning of a match could stand.
const redactMargin = 256

// redaction redacts one text. It does no more work than what may be stored needs, and
// stops when the context ends.
type redaction struct {
	r    Redactor
	left int  // bytes that may be stored
	cut  bool // not all of the text is in the result
	out  bytes.Buffer
	enc  *json.Encoder
}

// plain redacts a text that is no JSON. cut says that it is only the beginning of
// one.
func (j *redaction) plain(ctx context.Context, text string, cut bool) string {
	if most := max(0, j.left) + redactMargin; len(text) > most {
		text, cut = strings.ToValidUTF8(text[:most], ""), true
	}
	text = j.redact(ctx, text)
	if cut {
		j.cut = true
		text = strings.ToValidUTF8(text[:max(0, len(text)-redactMargin)], "")
	}
	return text
}

func (j *redaction) redact(ctx context.Context, text string) string {
	if text == "" || ctx.Err() != nil {
		return ""
	}
	if p, ok := j.r.(*patterns); ok {
		return p.redact(ctx, text)
	}
	return j.r.Redact(text)
}

// json redacts every string, number and key of a document by itself: in its text
// an escape could hide a match.
func (j *redaction) json(ctx context.Context, text string) string {
	v, ok := parseJSON([]byte(text))
	if !ok {
		return j.plain(ctx, text, false)
	}
	j.enc = json.NewEncoder(&j.out)
	j.enc.SetEscapeHTML(false)
	j.value(ctx, v)
	return j.out.String()
}

// full says that no more is wanted.
func (j *redaction) full(ctx context.Context) bool {
	if j.out.Len() > j.left || ctx.Err() != nil {
		j.cut = true
	}
	return j.cut
}

func (j *redaction) value(ctx context.Context, v any) {
	switch v := v.(type) {
	case string:
		j.encode(j.part(ctx, v))
	case json.Number:
		if red := j.part(ctx, v.String()); red != v.String() {
			j.encode(red)
			return
		}
		j.out.WriteString(v.String())
	case []any:
		j.out.WriteByte('[')
		for i := range v {
			if j.full(ctx) {
				return
			}
			if i > 0 {
				j.out.WriteByte(',')
			}
			j.value(ctx, v[i])
		}
		j.out.WriteByte(']')
	case map[string]any:
		j.object(ctx, v)
	default:
		j.encode(v)
	}
}

func (j *redaction) object(ctx context.Context, v map[string]any) {
	type member struct {
		name  string
		value any
	}
	members, size := make([]member, 0, min(len(v), 64)), 0
	for _, k := range slices.Sorted(maps.Keys(v)) {
		if j.out.Len()+size > j.left || ctx.Err() != nil {
			break
		}
		members = append(members, member{j.part(ctx, k), v[k]})
		size += len(k)
	}
	slices.SortStableFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
	j.out.WriteByte('{')
	for i, m := range members {
		if j.full(ctx) {
			return
		}
		if i > 0 {
			j.out.WriteByte(',')
		}
		j.encode(m.name)
		j.out.WriteByte(':')
		j.value(ctx, m.value)
	}
	if len(members) < len(v) {
		j.cut = true
		return
	}
	j.out.WriteByte('}')
}

// part redacts a string, of which no more is looked at than may be stored.
func (j *redaction) part(ctx context.Context, s string) string {
	part := redaction{r: j.r, left: j.left - j.out.Len()}
	s = part.plain(ctx, s, false)
	j.cut = j.cut || part.cut
	return s
}

func (j *redaction) encode(v any) {
	if j.enc.Encode(v) == nil {
		j.out.Truncate(j.out.Len() - 1) // the newline
	}
}
