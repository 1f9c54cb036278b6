package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit/rotatefile"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// use puts the module into the options. What it returns is called after the call.
func use(server *bedrocktest.Server, opts *securebedrock.Options) (after func() error, err error) {
	dir, err := os.MkdirTemp("", "audit")
	if err != nil {
		return nil, err
	}
	sink, err := rotatefile.New(filepath.Join(dir, "audit.log"), rotatefile.Options{})
	if err != nil {
		return nil, err
	}
	record, err := audit.Middleware(sink, audit.Options{})
	opts.Middleware = []securebedrock.Middleware{record}
	return func() error { return errors.Join(sink.Close(), os.RemoveAll(dir)) }, err
}
