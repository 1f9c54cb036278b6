package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
)

// dialogue asks on stderr, so that stdout stays free for results.
type dialogue struct {
	in  *bufio.Scanner
	out io.Writer
}

func newDialogue(in io.Reader, out io.Writer) *dialogue {
	return &dialogue{in: bufio.NewScanner(io.LimitReader(in, 64<<10)), out: out}
}

// ask asks until there is an answer. An empty one will do where none is needed.
func (d *dialogue) ask(question string, needed bool) (string, error) {
	for {
		fmt.Fprintf(d.out, "%s: ", question)
		if !d.in.Scan() {
			fmt.Fprintln(d.out)
			if err := d.in.Err(); err != nil {
				return "", err
			}
			return "", usagef("the input ended before the question was answered; give the values as flags")
		}
		if answer := strings.TrimSpace(d.in.Text()); answer != "" || !needed {
			return answer, nil
		}
	}
}

// isTerminal reports whether a person may be at the input. The null device is a character
// device, too.
func isTerminal(in io.Reader) bool {
	f, ok := in.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	null, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, null)
}
