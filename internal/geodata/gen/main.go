// Gen writes securebedrock/geography_table.go from profiles.json. It runs in the
// directory securebedrock: go generate ./securebedrock.
package main

import (
	"flag"
	"log"
	"os"

	"github.com/securebedrock/securebedrock-go/internal/geodata"
)

func main() {
	log.SetFlags(0)
	in := flag.String("in", "../internal/geodata/profiles.json", "the data `file`")
	out := flag.String("out", "geography_table.go", "the Go `file` to write")
	flag.Parse()
	if err := write(*in, *out); err != nil {
		log.Fatal(err)
	}
}

func write(in, out string) error {
	data, err := os.ReadFile(in)
	if err != nil {
		return err
	}
	table, err := geodata.Parse(data)
	if err != nil {
		return err
	}
	code, err := geodata.Render(table)
	if err != nil {
		return err
	}
	return os.WriteFile(out, code, 0o644)
}
