// Gen writes securebedrock/geography_table.go from profiles.json. It runs in the
// directory securebedrock: go generate ./securebedrock.
package main

import (
	"github.com/securebedrock/securebedrock-go/internal/generate"
	"github.com/securebedrock/securebedrock-go/internal/geodata"
)

func main() {
	generate.Main("../internal/geodata/profiles.json", "geography_table.go", func(data []byte) ([]byte, error) {
		table, err := geodata.Parse(data)
		if err != nil {
			return nil, err
		}
		return geodata.Render(table)
	})
}
