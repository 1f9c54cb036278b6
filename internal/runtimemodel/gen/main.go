// Gen writes securebedrock/bedrocktest/validateshapes.go from
// bedrock-runtime.json. It runs in the directory of bedrocktest:
// go generate ./securebedrock/bedrocktest.
package main

import (
	"github.com/securebedrock/securebedrock-go/internal/generate"
	"github.com/securebedrock/securebedrock-go/internal/runtimemodel"
)

func main() {
	generate.Main("../../internal/runtimemodel/bedrock-runtime.json", "validateshapes.go", func(data []byte) ([]byte, error) {
		model, err := runtimemodel.Parse(data)
		if err != nil {
			return nil, err
		}
		return runtimemodel.Render(model)
	})
}
