package policy

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	got, err := indexPage(sampleSpec(), samples(), "cloudformation-account.json")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "page/index.html", string(got))
	again, _ := indexPage(sampleSpec(), samples(), "cloudformation-account.json")
	if string(again) != string(got) {
		t.Error("the same documents give other bytes")
	}
}

// Each fact about a document stands on the page.
func TestPageSaysOfEachDocument(t *testing.T) {
	docs := samples()
	page, err := indexPage(sampleSpec(), docs)
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Join(strings.Fields(plainText(t, page)), " ")
	for _, d := range docs {
		for _, want := range []string{d.Name, d.Kind.title(), d.Purpose, d.Attach, d.Mirrors, thousands(d.Limit())} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the page does not say %q", d.Name, want)
			}
		}
		if !strings.Contains(string(page), `href="`+d.Name+`.json"`) {
			t.Errorf("no link to %s", d.Name)
		}
		if d.Kind.title() == string(d.Kind) {
			t.Errorf("the kind %s has no title", d.Kind)
		}
	}
	for _, r := range Relaxations(sampleSpec()) {
		for _, want := range []string{r.Field, r.Effect, r.Reason} {
			if !strings.Contains(text, want) {
				t.Errorf("the page does not say %q", want)
			}
		}
	}
}

// The page loads nothing, runs nothing, and what comes from outside is text.
func TestPageIsInert(t *testing.T) {
	page, err := indexPage(sampleSpec(), samples())
	if err != nil {
		t.Fatal(err)
	}
	for _, tag := range []string{"<script", "<link", "<img", "<iframe", "<b>", " src=", "@import", "url(", "http:", "https:"} {
		if strings.Contains(strings.ToLower(string(page)), tag) {
			t.Errorf("the page holds %s", tag)
		}
	}
	if !strings.Contains(string(page), `content="default-src &#39;none&#39;; style-src &#39;unsafe-inline&#39;"`) &&
		!strings.Contains(string(page), `content="default-src 'none'; style-src 'unsafe-inline'"`) {
		t.Error("the page has no content security policy")
	}
}

func TestSizesOnThePage(t *testing.T) {
	of := func(kind Kind, size int) Document {
		d := Document{Name: "d", Kind: kind, Statements: []Statement{{Effect: Allow, Action: []string{"a"}, Resource: []string{""}}}}
		d.Statements[0].Resource[0] = strings.Repeat("x", size-d.Size())
		return d
	}
	for _, row := range []struct {
		doc     Document
		sizes   string
		percent string
	}{
		{of(KindSession, 2048), "2,048 of 2,048 characters", "100%"},
		{of(KindSession, 2049), "2,049 of 2,048 characters", "101%"},
		{of(KindSession, 2047), "2,047 of 2,048 characters", "100%"},
		{of(KindManaged, 614), "614 of 6,144 characters", "10%"},
		{of(KindKey, 32768), "32,768 of 32,768 bytes", "100%"},
		{Document{Name: "d", Kind: "new"}, "39 of 0 characters", "0%"},
	} {
		if got := describe(row.doc); got.Sizes != row.sizes || got.Percent != row.percent {
			t.Errorf("%s: %s, %s", row.doc.Kind, got.Sizes, got.Percent)
		}
	}
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567"} {
		if got := thousands(n); got != want {
			t.Errorf("%d: %s", n, got)
		}
	}
}

// plainText returns the text of a page.
func plainText(t *testing.T, page []byte) string {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(string(page)))
	dec.Strict, dec.AutoClose, dec.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var text strings.Builder
	for {
		token, err := dec.Token()
		if errors.Is(err, io.EOF) {
			return text.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		if chars, ok := token.(xml.CharData); ok {
			fmt.Fprintf(&text, "%s ", chars)
		}
	}
}
