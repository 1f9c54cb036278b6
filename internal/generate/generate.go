// Package generate is the main function of the programs that write a Go file from a
// data file.
package generate

import (
	"flag"
	"log"
	"os"
)

// Main writes the file out, or what -out names, from the file in, or what -in names.
func Main(in, out string, render func(data []byte) (code []byte, err error)) {
	log.SetFlags(0)
	flag.StringVar(&in, "in", in, "the data `file`")
	flag.StringVar(&out, "out", out, "the Go `file` to write")
	flag.Parse()
	if err := write(in, out, render); err != nil {
		log.Fatal(err)
	}
}

func write(in, out string, render func([]byte) ([]byte, error)) error {
	data, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	code, err := render(data)
	if err != nil {
		return err
	}
	return os.WriteFile(out, code, 0o644)
}
