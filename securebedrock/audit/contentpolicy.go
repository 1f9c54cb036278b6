package audit

import (
	"strings"
)

// ContentPolicy selects what is recorded of prompts and answers.
type ContentPolicy struct {
	Mode ContentMode

	// Reason is the reason to record full content. ContentFull requires Reason.
	// Every record with such content holds Reason.
	Reason string

	// DigestKey makes the digests. ContentDigest requires DigestKey. With the other
	// two modes that store something, DigestKey adds digests to the text. Keep this
	// key: a digest proves nothing without the key. Somebody who has the key can
	// guess a short prompt.
	DigestKey Key

	// Redactor is required for ContentRedacted. Patterns is a Redactor. The
	// Redactor has half of Options.WriteTimeout for a prompt or an answer. If it
	// takes longer or panics, the text is left out and Block.Withheld says so.
	Redactor Redactor

	// MaxBytes bounds the text of one prompt or answer in a record. A block's text
	// beyond MaxBytes is cut, and its Truncated is set. Digests always cover the
	// whole text. Zero: 64 KiB.
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
