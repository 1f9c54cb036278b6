package audit

import (
	"context"
	"errors"
	"fmt"
)

// DigestOf gives the digests that a Middleware with this key records of an
// operation's input or output, such as *bedrockruntime.ConverseInput: to show
// that a given prompt was, or was not, sent. A stream's answer has the digests of
// the Converse answer with the same blocks.
func DigestOf(key Key, inputOrOutput any) (*Content, error) {
	if msg := key.fault(); msg != "" {
		return nil, fmt.Errorf("audit: the key cannot be used: %s", msg)
	}
	p := (&ContentPolicy{Mode: ContentDigest, DigestKey: key}).withDefaults()
	c, ctx := p.newCollector(), context.Background() // a digest needs no redaction
	c.walkInput(ctx, inputOrOutput)
	if c.empty() {
		c.walkOutput(ctx, inputOrOutput)
	}
	if c.empty() {
		return nil, errors.New("audit: this is not an input or output with content")
	}
	return c.content(), nil
}

// DigestText is the digest of one block of text. Role is system, user or
// assistant; kind is "text" but for the other kinds of Block.
func DigestText(key Key, role, kind, text string) string {
	return newSummer(key).block(role, kind, text, nil)
}
