package audit

import (
	"context"
	"math"
)

// For the fuzz targets.
var (
	Canonical = canonical
)

// RedactJSON redacts a whole document.
func RedactJSON(r Redactor, text string) string {
	return (&redaction{r: r, left: math.MaxInt / 2}).json(context.Background(), text)
}

// Stored is the text that is stored of a body.
func Stored(body []byte) string {
	p := ContentPolicy{Mode: ContentFull, MaxBytes: 1 << 30}
	c := p.newCollector()
	c.body(context.Background(), user, body)
	if len(c.out.Blocks) == 0 {
		return ""
	}
	return c.out.Blocks[0].Text
}
