package audit

import (
	"context"
	"errors"
	"strings"
	"time"
)

// collector turns blocks into a Content.
type collector struct {
	p    *ContentPolicy
	out  Content
	left int // bytes of text that may still be stored
	sum  *summer
}

func (p *ContentPolicy) newCollector() *collector {
	c := &collector{p: p, left: p.MaxBytes, out: Content{Mode: p.Mode}}
	if p.Mode == ContentFull {
		c.out.Reason = p.Reason
	}
	if p.Mode != ContentNone && p.DigestKey.ID != "" {
		c.sum, c.out.KeyID = newSummer(p.DigestKey), p.DigestKey.ID
	}
	return c
}

// withRedactionTime leaves redaction half of the time to ctx's end. The other half is
// for the write.
func (p *ContentPolicy) withRedactionTime(ctx context.Context) (context.Context, context.CancelFunc) {
	if end, ok := ctx.Deadline(); ok && p.Mode == ContentRedacted {
		return context.WithTimeout(ctx, time.Until(end)/2)
	}
	return ctx, func() {}
}

// walk calls f, which looks at values of the application's: one that panics leaves
// the content Incomplete.
func (c *collector) walk(f func()) {
	if caught("the content", func() error { f(); return nil }) != nil {
		c.out.Incomplete = true
	}
}

func (c *collector) empty() bool { return len(c.out.Kinds) == 0 && !c.out.Incomplete }

func (c *collector) content() *Content {
	if c.sum != nil && !c.empty() {
		c.out.Digest = c.sum.total()
	}
	return &c.out
}

// stores says whether text is kept.
func (c *collector) stores() bool {
	return c.p.Mode == ContentRedacted || c.p.Mode == ContentFull
}

// block is one piece of content as it is found.
type block struct {
	role, kind, format string
	text               string
	data               []byte   // not text
	document           bool     // text is JSON
	value              any      // text, parsed, where it is JSON
	never              bool     // text that is not stored
	media              []medium // withheld from text already
	size               int      // where it is not that of text and data
	cut                bool     // text is only the beginning
	digest             string   // made already
}

func (c *collector) add(ctx context.Context, b block) {
	if c.out.Kinds == nil {
		c.out.Kinds = make(map[string]int, 4)
	}
	c.out.Kinds[b.kind]++
	size := b.size
	if size == 0 {
		size = len(b.text) + len(b.data)
	}
	c.out.Bytes += int64(size)
	if c.p.Mode == ContentNone {
		return
	}
	if c.sum != nil && b.digest == "" {
		b.digest = c.sum.block(b.role, b.kind, b.text, b.data)
	} else if c.sum != nil {
		c.sum.include(b.digest)
	}
	if len(c.out.Blocks) >= maxBlocks {
		c.out.Omitted++
		return
	}
	rec := Block{Role: b.role, Kind: b.kind, Format: b.format, Bytes: size, Digest: b.digest}
	c.withhold(&b)
	if c.stores() && b.data == nil && !b.never {
		rec.Text, rec.Truncated, rec.Withheld = c.keep(ctx, b)
	}
	c.out.Blocks = append(c.out.Blocks, rec)
	for _, m := range b.media {
		c.part(b.role, m)
	}
}

// withhold takes out of a block what is not stored of it.
func (c *collector) withhold(b *block) {
	w := &withholder{found: b.media, plain: b.kind == "tool_schema", cut: b.cut}
	switch {
	case b.data != nil || b.never:
	case b.value != nil:
		before := len(w.found)
		if v := w.json(b.value); len(w.found) > before {
			b.text = writeJSON(v)
		}
	case c.stores():
		b.text = w.text(b.text)
	}
	b.media = w.found
}

// part adds a medium that stands in a block. The block's size and digest cover it.
func (c *collector) part(role string, m medium) {
	c.out.Kinds[m.kind]++
	if len(c.out.Blocks) >= maxBlocks {
		c.out.Omitted++
		return
	}
	rec := Block{Role: role, Kind: m.kind, Format: m.format, Bytes: m.size, Digest: m.digest}
	if c.sum != nil && m.digest == "" {
		rec.Digest = c.sum.alone(role, m.kind, m.data)
	}
	c.out.Blocks = append(c.out.Blocks, rec)
}

// keep is the text that is stored of a block: redacted before it is cut, so that
// no part of a match is left at the end.
func (c *collector) keep(ctx context.Context, b block) (text string, truncated bool, withheld string) {
	text, cut := b.text, b.cut
	if most := c.left + redactMargin; !b.document && len(text) > most { // what is redacted is bounded too
		text, cut = text[:most], true
	}
	if c.left <= 0 {
		return "", text != "", ""
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	if c.p.Mode == ContentRedacted {
		if text, cut, withheld = c.redact(ctx, text, b.document, cut); withheld != "" {
			return "", false, withheld
		}
	}
	if len(text) > c.left {
		text, cut = text[:c.left], true
	}
	text = strings.ToValidUTF8(text, "")
	c.left -= len(text)
	return text, cut, ""
}

// redact redacts as much of a text as may be stored.
func (c *collector) redact(ctx context.Context, text string, document, cut bool) (_ string, _ bool, withheld string) {
	j := &redaction{r: c.p.Redactor, left: c.left}
	var out string
	work := func() error {
		if document && !cut {
			out = j.json(ctx, text)
		} else {
			out = j.plain(ctx, text, cut)
		}
		return ctx.Err()
	}
	err := ctx.Err()
	foreign, is := j.r.(foreignRedactor)
	switch {
	case err != nil:
	case is: // where it does not return, nothing is read of what work writes
		j.r = foreign.Redactor
		err = foreign.lane.call(ctx, false, work)
	default:
		err = caught("the Redactor", work)
	}
	switch {
	case err == nil:
		return out, j.cut, ""
	case errors.Is(err, errPanicked):
		return "", false, "redactor_panicked"
	}
	return "", false, "redaction_timeout"
}
