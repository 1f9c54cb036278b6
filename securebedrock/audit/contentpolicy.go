package audit

import (
	"strings"
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

// withDefaults returns a copy with the zero fields filled, which shares nothing that the
// application can write to.
func (p *ContentPolicy) withDefaults() ContentPolicy {
	filled := *p
	if filled.MaxBytes == 0 {
		filled.MaxBytes = defaultMaxContent
	}
	filled.Reason = phrase(filled.Reason)
	filled.DigestKey = filled.DigestKey.clone()
	if _, own := filled.Redactor.(*patterns); filled.Redactor != nil && !own {
		filled.Redactor = foreignRedactor{filled.Redactor, newLane("the Redactor", maxOverdue)}
	}
	return filled
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
