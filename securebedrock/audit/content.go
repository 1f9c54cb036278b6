package audit

import (
	"context"
	"errors"
	"strings"
	"time"
)

// ContentMode says what a record holds of prompts and answers.
type ContentMode string

// The content modes. Images, documents, audio and video are counted, measured and
// digested, and never stored, whatever the mode. This holds for those in blocks of
// their own, a document's or search result's text among them, and for those within a
// body, a tool's JSON or a text: what a known name, a data URL, a known format or at
// least 256 characters of base64 tells. "[IMAGE]", "[DOCUMENT]", "[AUDIO]",
// "[VIDEO]" or "[DATA]" stands in their place, and a Block of their own follows. What
// a model writes of such data in pieces of several events of an InvokeModel stream is
// not seen. A body that is no JSON is not stored.
const (
	// ContentNone: of the prompt the counts of its messages, blocks and bytes; of
	// the answer nothing.
	ContentNone ContentMode = ""
	// ContentDigest: an HMAC-SHA-256 of each block and of them all.
	ContentDigest ContentMode = "digest"
	// ContentRedacted: the text after ContentPolicy.Redactor.
	ContentRedacted ContentMode = "redacted"
	// ContentFull: the text.
	ContentFull ContentMode = "full"
)

// ContentPolicy says what is recorded of prompts and answers.
type ContentPolicy struct {
	Mode ContentMode

	// Reason says why ContentFull is wanted, which it needs. Every record with
	// such content carries it.
	Reason string

	// DigestKey is needed for ContentDigest. With the other two modes that store
	// something it adds digests to the text. Keep it: without it a digest proves
	// nothing, and with it a short prompt can be guessed.
	DigestKey Key

	// Redactor is needed for ContentRedacted. Patterns is one. It has half of
	// Options.WriteTimeout for a prompt or an answer. Where it takes longer, or
	// panics, the text is left out, and Block.Withheld says so.
	Redactor Redactor

	// MaxBytes bounds the text of one prompt or answer in a record. Zero: 64 KiB.
	// Beyond it a block's text is cut and its Truncated set; digests cover the
	// whole text all the same.
	MaxBytes int
}

const (
	defaultMaxContent = 64 << 10
	maxBlocks         = 256     // of one prompt or answer in a record
	maxDocument       = 1 << 20 // of JSON that comes in pieces
)

func (p ContentPolicy) withDefaults() ContentPolicy {
	if p.MaxBytes == 0 {
		p.MaxBytes = defaultMaxContent
	}
	p.Reason = phrase(p.Reason)
	p.DigestKey = p.DigestKey.clone()
	if _, own := p.Redactor.(*patterns); p.Redactor != nil && !own {
		p.Redactor = foreignRedactor{p.Redactor, newLane("the Redactor", maxOverdue)}
	}
	return p
}

func (p *ContentPolicy) check(fault func(field, format string, args ...any)) {
	switch p.Mode {
	case ContentNone:
	case ContentDigest:
		if p.DigestKey.ID == "" {
			fault("Content.DigestKey", "ContentDigest needs a key")
		}
	case ContentRedacted:
		if p.Redactor == nil {
			fault("Content.Redactor", "ContentRedacted needs one; Patterns() is one")
		}
	case ContentFull:
		if strings.TrimSpace(p.Reason) == "" {
			fault("Content.Reason", "ContentFull stores prompts and answers as they are; say why")
		}
	default:
		fault("Content.Mode", "unknown; it is one of ContentNone, ContentDigest, ContentRedacted, ContentFull")
	}
	if p.DigestKey.ID != "" || len(p.DigestKey.Secret) > 0 {
		if msg := p.DigestKey.fault(); msg != "" {
			fault("Content.DigestKey", "%s", msg)
		}
	}
	if p.MaxBytes < 0 {
		fault("Content.MaxBytes", "%d; give a positive number, or none for %d", p.MaxBytes, defaultMaxContent)
	}
}

// Content is what a record holds of a prompt or an answer.
type Content struct {
	Mode   ContentMode `json:"mode,omitempty"`
	Reason string      `json:"reason,omitempty"` // of ContentFull
	// Messages counts the messages of a conversation, Bytes the bytes of all text
	// and media in it, Kinds its blocks by kind: "text", "image", "tool_result", …
	Messages int            `json:"messages,omitempty"`
	Bytes    int64          `json:"bytes,omitempty"`
	Kinds    map[string]int `json:"kinds,omitempty"`
	// Digest is over the digests of all blocks, with the key KeyID. See DigestOf.
	Digest string  `json:"digest,omitempty"`
	KeyID  string  `json:"key_id,omitempty"`
	Blocks []Block `json:"blocks,omitempty"`
	// Omitted counts the blocks that are not in Blocks.
	Omitted int `json:"omitted,omitempty"`
	// Incomplete: there is content here that this version does not know, or that
	// did not pass by this package, such as what is sent into a bidirectional
	// stream. Nothing of it is recorded, and Digest does not cover it.
	Incomplete bool `json:"incomplete,omitempty"`
}

// Block is one block of a prompt or answer.
type Block struct {
	Role      string `json:"role,omitempty"` // system, user, assistant, tool
	Kind      string `json:"kind"`
	Format    string `json:"format,omitempty"` // png, pdf, …
	Bytes     int    `json:"bytes"`
	Digest    string `json:"digest,omitempty"`
	Text      string `json:"text,omitempty"`
	Truncated bool   `json:"truncated,omitempty"`
	// Withheld says why Text is not here although the mode stores it:
	// "redactor_panicked", or "redaction_timeout" where the time was over.
	Withheld string `json:"withheld,omitempty"`
}

// input describes what a call carries.
func (p *ContentPolicy) input(ctx context.Context, in any) *Content {
	c := p.newCollector(ctx)
	defer c.end()
	c.walk(func() { c.walkInput(in) })
	if c.empty() {
		return nil
	}
	return c.content()
}

// collector turns blocks into a Content.
type collector struct {
	p    *ContentPolicy
	out  Content
	left int // bytes of text that may still be stored
	sum  *summer
	ctx  context.Context // of redaction
	end  context.CancelFunc
}

// newCollector leaves redaction half of the time to ctx's end. The other half is
// for the write.
func (p *ContentPolicy) newCollector(ctx context.Context) *collector {
	c := &collector{p: p, left: p.MaxBytes, out: Content{Mode: p.Mode}, ctx: ctx, end: func() {}}
	if end, ok := ctx.Deadline(); ok && p.Mode == ContentRedacted {
		c.ctx, c.end = context.WithTimeout(ctx, time.Until(end)/2)
	}
	if p.Mode == ContentFull {
		c.out.Reason = p.Reason
	}
	if p.Mode != ContentNone && p.DigestKey.ID != "" {
		c.sum, c.out.KeyID = newSummer(p.DigestKey), p.DigestKey.ID
	}
	return c
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

func (c *collector) add(b block) {
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
		rec.Text, rec.Truncated, rec.Withheld = c.keep(b)
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
func (c *collector) keep(b block) (text string, truncated bool, withheld string) {
	text, cut := b.text, b.cut
	if most := c.left + redactMargin; !b.document && len(text) > most { // what is redacted is bounded too
		text, cut = text[:most], true
	}
	if c.left <= 0 {
		return "", text != "", ""
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	if c.p.Mode == ContentRedacted {
		if text, cut, withheld = c.redact(text, b.document, cut); withheld != "" {
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
func (c *collector) redact(text string, document, cut bool) (_ string, _ bool, withheld string) {
	j := &redaction{ctx: c.ctx, r: c.p.Redactor, left: c.left}
	var out string
	work := func() error {
		if document && !cut {
			out = j.json(text)
		} else {
			out = j.plain(text, cut)
		}
		return j.ctx.Err()
	}
	err := c.ctx.Err()
	foreign, is := j.r.(foreignRedactor)
	switch {
	case err != nil:
	case is: // where it does not return, nothing is read of what work writes
		j.r = foreign.Redactor
		err = foreign.lane.call(c.ctx, false, work)
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
