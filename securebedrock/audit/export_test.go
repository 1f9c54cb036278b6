package audit

// For the fuzz targets.
var (
	Canonical  = canonical
	RedactJSON = redactJSON
)

// Stored is the text that is stored of a body.
func Stored(body []byte) string {
	p := ContentPolicy{Mode: ContentFull, MaxBytes: 1 << 30}
	c := p.newCollector()
	c.body(user, body)
	if len(c.out.Blocks) == 0 {
		return ""
	}
	return c.out.Blocks[0].Text
}
