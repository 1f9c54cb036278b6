package main

import (
	"encoding/xml"
	"fmt"
	"html"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

// picturePath is the picture of a terminal in the README.
var picturePath = filepath.Join("..", "..", "docs", "quickstart.svg")

// TestPicture keeps the picture as the program's output is: local.golden, which
// TestLocal compares with a run.
func TestPicture(t *testing.T) {
	golden, err := os.ReadFile(filepath.Join("testdata", "local.golden"))
	if err != nil {
		t.Fatal(err)
	}
	want := picture("go run github.com/securebedrock/securebedrock-go/examples/quickstart@latest", excerpt(string(golden)))
	if err := xml.Unmarshal([]byte(want), new(struct{})); err != nil {
		t.Fatalf("the picture is not XML: %v", err)
	}
	if *update {
		if err := os.WriteFile(picturePath, []byte(want), 0o644); err != nil { // a picture of the documentation
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(picturePath)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Errorf("%s is not the output of the program (run with -update, and look at it)", picturePath)
	}
}

// excerpt is the steps of the output that fit into a picture.
func excerpt(output string) []string {
	steps := strings.Split(output, "\n\n")
	var lines []string
	for _, n := range []int{2, 4, 6} {
		lines = append(lines, strings.Split(strings.TrimRight(steps[n], "\n"), "\n")...)
		lines = append(lines, "")
	}
	return lines[:len(lines)-1]
}

// picture draws lines of text as a terminal shows them. The ground is dark in either
// theme of a page.
func picture(command string, lines []string) string {
	const advance, lineHeight, margin, bar = 8.43, 20, 16, 30 // of a monospaced font of 14 pixels
	all := append([]string{"$ " + wrap(command, lineWidth-2, "  ")}, "")
	all = append(all, lines...)
	all = strings.Split(strings.Join(all, "\n"), "\n")
	columns := lineWidth
	for _, line := range all {
		columns = max(columns, utf8.RuneCountInString(line))
	}
	width, height := int(float64(columns)*advance)+2*margin, bar+len(all)*lineHeight+margin

	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img" aria-label="The output of the quickstart">
<style>text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;fill:#e6edf3;white-space:pre}.command{fill:#7ee787}.refused{fill:#ffa198}.step{fill:#79c0ff}</style>
<rect x="0.5" y="0.5" width="%d" height="%d" rx="8" fill="#0d1117" stroke="#3d444d"/>
<circle cx="18" cy="16" r="5" fill="#ff7b72"/><circle cx="36" cy="16" r="5" fill="#d29922"/><circle cx="54" cy="16" r="5" fill="#3fb950"/>
`, width, height, width, height, width-1, height-1)
	for i, line := range all {
		class := ""
		switch {
		case strings.HasPrefix(line, "$ "), i == 1 && strings.HasPrefix(line, "  "):
			class = ` class="command"`
		case strings.Contains(line, "refused: "):
			class = ` class="refused"`
		case len(line) > 2 && line[1] == '.':
			class = ` class="step"`
		}
		if line != "" {
			fmt.Fprintf(&b, `<text x="%d" y="%d" xml:space="preserve"%s>%s</text>`+"\n", margin, bar+(i+1)*lineHeight-6, class, html.EscapeString(line))
		}
	}
	return b.String() + "</svg>\n"
}
