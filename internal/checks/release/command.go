package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
)

// command is a module that users install.
type command struct {
	module   string
	replaced []string // its replace lines, as arguments of go mod edit
}

// installable takes the replace lines out of a module whose package is a command. It
// returns none for a library.
func installable(ctx context.Context, root, module string) ([]command, error) {
	dir := filepath.Join(root, module)
	name, err := output(ctx, dir, "go", "list", "-e", "-f", "{{.Name}}", ".")
	if err != nil || name != "main" {
		return nil, err
	}
	text, err := output(ctx, dir, "go", "mod", "edit", "-json")
	if err != nil {
		return nil, err
	}
	var mod struct {
		Replace []struct{ Old, New struct{ Path string } }
	}
	if err := json.Unmarshal([]byte(text), &mod); err != nil {
		return nil, err
	}
	c := command{module: module}
	drop := []string{"mod", "edit"}
	for _, r := range mod.Replace {
		drop = append(drop, "-dropreplace="+r.Old.Path)
		c.replaced = append(c.replaced, "-replace="+r.Old.Path+"="+r.New.Path)
	}
	if len(c.replaced) == 0 {
		return nil, nil
	}
	_, err = output(ctx, dir, "go", drop...)
	return []command{c}, err
}

// restore is the command line that puts the replace lines back.
func (c command) restore() string {
	return "go -C " + c.module + " mod edit " + strings.Join(c.replaced, " ")
}
