package main

import (
	"os"
	"path/filepath"

	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest"
	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// use writes the options into a file and reads them from there. The client of STS is code
// and is set afterwards.
func use(_ *bedrocktest.Server, opts *securebedrock.Options) (after func() error, err error) {
	dir, err := os.MkdirTemp("", "configfile")
	if err != nil {
		return nil, err
	}
	after = func() error { return os.RemoveAll(dir) }
	role := *opts.Role
	opts.Role = &role
	sts := role.STS
	role.STS = nil
	text, err := configfile.Marshal(*opts, policy.Account{})
	if err != nil {
		return after, err
	}
	path := filepath.Join(dir, "securebedrock.yaml")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return after, err
	}
	if *opts, _, err = configfile.Load(path); err == nil {
		opts.Role.STS = sts
	}
	return after, err
}
