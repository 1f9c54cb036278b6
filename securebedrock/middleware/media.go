package middleware

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

func (c *content) image(b types.ImageBlock) {
	if s, ok := b.Source.(*types.ImageSourceMemberBytes); ok {
		c.imageBytes(string(b.Format), s.Value)
		return
	}
	c.cannot(Image)
}

func (c *content) imageBytes(format string, data []byte) {
	if format != "png" && format != "jpeg" { // GuardrailImageFormat has these two
		c.cannot(Image)
		return
	}
	if c.stopped() {
		return
	}
	c.images = append(c.images, &types.GuardrailContentBlockMemberImage{Value: types.GuardrailImageBlock{
		Format: types.GuardrailImageFormat(format), Source: &types.GuardrailImageSourceMemberBytes{Value: data}}})
}

func (c *content) documentBlock(b types.DocumentBlock) {
	c.text(aws.ToString(b.Name), aws.ToString(b.Context))
	switch s := b.Source.(type) {
	case *types.DocumentSourceMemberText:
		c.text(s.Value)
	case *types.DocumentSourceMemberContent:
		for _, b := range s.Value {
			if t, ok := b.(*types.DocumentContentBlockMemberText); ok {
				c.text(t.Value)
			} else {
				c.cannot(Document)
			}
		}
	case *types.DocumentSourceMemberBytes:
		switch b.Format {
		case types.DocumentFormatTxt, types.DocumentFormatMd, types.DocumentFormatCsv, types.DocumentFormatHtml:
			if utf8.Valid(s.Value) {
				c.text(string(s.Value))
				return
			}
		}
		c.cannot(Document)
	default:
		c.cannot(Document)
	}
}

// json takes every string and number of a document, keys too, as one text of many
// lines.
func (c *content) json(raw []byte) {
	if len(raw) == 0 {
		return
	}
	if !json.Valid(raw) { // Token takes a torn document for a whole one
		c.cannot(Body)
		return
	}
	var l lines
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	for !c.stopped() && l.size <= c.mostText {
		token, err := dec.Token()
		if err != nil { // the end
			break
		}
		l.token(c, token)
	}
	c.text(l.String())
}

// lines are the strings and numbers of a document.
type lines struct {
	all  []string
	size int64
}

func (l *lines) token(c *content, token any) {
	switch t := token.(type) {
	case string:
		for _, s := range c.decoded(t) {
			l.add(s)
		}
	case json.Number:
		l.add(t.String())
	}
}

func (l *lines) add(s string) {
	l.all = append(l.all, s)
	l.size += int64(len(s)) + 1
}

// String is one text, so that a phrase of several strings is one.
func (l *lines) String() string { return strings.Join(l.all, "\n") }

// shortest is the length from which a string may be a file in base64.
const shortest = 64

// decoded gives the text of a string of a body, which may be an image or another
// file.
func (c *content) decoded(s string) []string {
	encoded := s
	if head, tail, ok := strings.Cut(s, ";base64,"); ok && strings.HasPrefix(head, "data:") {
		encoded = tail
	}
	if len(encoded) < shortest {
		return []string{s}
	}
	data, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return []string{s}
	}
	switch kind, _, _ := strings.Cut(http.DetectContentType(data), ";"); {
	case kind == "image/png", kind == "image/jpeg":
		c.imageBytes(strings.TrimPrefix(kind, "image/"), data)
	case strings.HasPrefix(kind, "image/"):
		c.cannot(Image)
	case strings.HasPrefix(kind, "video/"):
		c.cannot(Video)
	case strings.HasPrefix(kind, "audio/"):
		c.cannot(Audio)
	case strings.HasPrefix(kind, "text/") && utf8.Valid(data):
		return []string{s, string(data)}
	case strings.HasPrefix(kind, "text/"), kind == "application/octet-stream":
		return []string{s}
	default:
		c.cannot(Document)
	}
	return nil
}
