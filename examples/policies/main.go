// Policies writes the IAM policies, service control policies and endpoint policies of a
// guarded client into a folder, with a page that describes them.
//
//	go run ./examples/policies [FOLDER]
//
// The program needs no AWS account. Without a FOLDER it makes a temporary one.
package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "policies:", err)
		os.Exit(1)
	}
}

// options are the client's. An application hands the same value to securebedrock.New.
func options() securebedrock.Options {
	return securebedrock.Options{
		Region:    "eu-central-1",
		Residency: securebedrock.Geography("eu"),
		Guardrail: securebedrock.Guardrail{ID: "a1b2c3d4e5f6", Version: "3"},
		Models:    []string{"eu.anthropic.claude-sonnet-4-20250514-v1:0", "amazon.titan-embed-text-v2:0"},
		Role:      &securebedrock.Role{ARN: "arn:aws:iam::123456789012:role/ask"},
	}
}

func run(args []string, out io.Writer) (err error) {
	spec, err := policy.For(options(), policy.Account{
		ID:           "123456789012",
		Organization: "o-a1b2c3d4e5",
		Unguardable:  map[string]string{"amazon.titan-embed-text-v2:0": "an embedding model takes no guardrail"},
	})
	if err != nil {
		return err
	}
	var dir string
	if len(args) > 0 {
		dir = args[0]
	} else if dir, err = os.MkdirTemp("", "policies-"); err != nil {
		return err
	}
	if err := policy.WriteDir(dir, spec); err != nil {
		return err
	}
	fmt.Fprintln(out, "open", filepath.Join(dir, "index.html"))
	return nil
}
