package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
	"github.com/securebedrock/securebedrock-go/securebedrock/policy"
)

// globals are the flags that every command has.
type globals struct {
	config string // the path of the configuration file
}

// loadSpec reads a configuration that names the account.
func loadSpec(path string) (*policy.Spec, error) {
	opts, acct, err := configfile.Load(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(path)
	}
	if err != nil {
		return nil, err
	}
	if acct.ID == "" {
		return nil, errors.New(path + " has no account, which the policies name; add account with its id")
	}
	return policy.For(opts, acct)
}

func missing(path string) error {
	return fmt.Errorf("%s is missing; name the file with --config, or write one with 'securebedrock init': %w", path, fs.ErrNotExist)
}
