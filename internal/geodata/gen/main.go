// Gen writes internal/region/geography_table.go from profiles.json. It runs in the
// directory internal/region: go generate ./internal/region.
package main

import (
	"github.com/securebedrock/securebedrock-go/internal/generate"
	"github.com/securebedrock/securebedrock-go/internal/geodata"
)

func main() {
	generate.Main("../geodata/profiles.json", "geography_table.go", func(data []byte) ([]byte, error) {
		table, err := geodata.Parse(data)
		if err != nil {
			return nil, err
		}
		return geodata.Render(table)
	})
}
