// Gen writes securebedrock/bedrocktest/internal/shapes/shapes.go from
// bedrock-runtime.json. It runs in the directory of that file:
// go generate ./securebedrock/bedrocktest/internal/shapes.
package main

import (
	"github.com/securebedrock/securebedrock-go/internal/generate"
	"github.com/securebedrock/securebedrock-go/internal/runtimemodel"
)

func main() {
	generate.Main("../../../../internal/runtimemodel/bedrock-runtime.json", "shapes.go", func(data []byte) ([]byte, error) {
		model, err := runtimemodel.Parse(data)
		if err != nil {
			return nil, err
		}
		return runtimemodel.Render(model)
	})
}
