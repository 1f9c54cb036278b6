package main

import (
	"fmt"
	"strings"
)

// lineWidth keeps the output readable in a narrow window.
const lineWidth = 70

// say prints a text, wrapped at lineWidth. The lines after the first are indented like
// the first.
func (d *demo) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	body := strings.TrimLeft(text, " \n")
	lead := text[:len(text)-len(body)]
	indent := lead[strings.LastIndex(lead, "\n")+1:]
	fmt.Fprintln(d.out, lead+wrap(body, lineWidth-len(indent), indent))
}

// wrap breaks a text between words. A word that is longer than a line has a line of its
// own.
func wrap(text string, width int, indent string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
		case column+1+len(word) > width:
			b.WriteString("\n" + indent)
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}
