package main

import (
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/profiles"
)

// use puts the module into the options. What it returns is called after the call.
func use(server *bedrocktest.Server, opts *securebedrock.Options) (after func() error, err error) {
	resolver, err := profiles.New(server.Config(), profiles.Options{Region: opts.Region})
	opts.Profiles = resolver
	return func() error { return nil }, err
}
