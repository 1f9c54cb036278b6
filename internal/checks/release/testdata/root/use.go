package main

import (
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
)

// use puts the module into the options. What it returns is called after the call.
func use(server *bedrocktest.Server, opts *securebedrock.Options) (after func() error, err error) {
	return func() error { return nil }, nil
}
