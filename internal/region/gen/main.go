// Gen writes internal/region/table.go from the SDK's partition table. It runs in
// the directory internal/region: go generate ./internal/region.
package main

import (
	"log"
	"os"

	"github.com/securebedrock/securebedrock-go/internal/region/regiongen"
)

func main() {
	log.SetFlags(0)
	if err := write(); err != nil {
		log.Fatal(err)
	}
}

func write() error {
	data, err := regiongen.Source(".")
	if err != nil {
		return err
	}
	code, err := regiongen.Render(data)
	if err != nil {
		return err
	}
	return os.WriteFile("table.go", code, 0o644)
}
