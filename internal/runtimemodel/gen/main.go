// Gen writes securebedrock/bedrocktest/validateshapes.go from
// bedrock-runtime.json. It runs in the directory of bedrocktest:
// go generate ./securebedrock/bedrocktest.
package main

import (
	"flag"
	"log"
	"os"

	"github.com/securebedrock/securebedrock-go/internal/runtimemodel"
)

func main() {
	log.SetFlags(0)
	in := flag.String("in", "../../internal/runtimemodel/bedrock-runtime.json", "AWS's API model `file`")
	out := flag.String("out", "validateshapes.go", "the Go `file` to write")
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
	model, err := runtimemodel.Parse(data)
	if err != nil {
		return err
	}
	code, err := runtimemodel.Render(model)
	if err != nil {
		return err
	}
	return os.WriteFile(out, code, 0o644)
}
