package middleware

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"unicode/utf8"
)

// json takes every string and number of a document, keys too, as one text of many
// lines.
func (g *gathering) json(raw []byte) {
	if len(raw) == 0 {
		return
	}
	if !json.Valid(raw) { // Token takes a torn document for a whole one
		g.cannot(Body)
		return
	}
	var l lines
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	for !g.stopped() && l.size <= g.mostText {
		token, err := dec.Token()
		if err != nil { // the end
			break
		}
		l.token(g, token)
	}
	g.text(l.String())
}

// lines are the strings and numbers of a document.
type lines struct {
	all  []string
	size int64
}

func (l *lines) token(g *gathering, token any) {
	switch t := token.(type) {
	case string:
		for _, s := range g.decoded(t) {
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
func (g *gathering) decoded(s string) []string {
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
		g.imageBytes(strings.TrimPrefix(kind, "image/"), data)
	case strings.HasPrefix(kind, "image/"):
		g.cannot(Image)
	case strings.HasPrefix(kind, "video/"):
		g.cannot(Video)
	case strings.HasPrefix(kind, "audio/"):
		g.cannot(Audio)
	case strings.HasPrefix(kind, "text/") && utf8.Valid(data):
		return []string{s, string(data)}
	case strings.HasPrefix(kind, "text/"), kind == "application/octet-stream":
		return []string{s}
	default:
		g.cannot(Document)
	}
	return nil
}
