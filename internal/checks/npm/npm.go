// Package npm installs what a package-lock.json names, for the tests that run programs of
// Node.js.
package npm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// MissingError is what the machine lacks, with the remedy.
type MissingError string

func (e MissingError) Error() string { return string(e) }

// Install installs what the lock of a folder names, once for each state of the lock. The
// error is a MissingError where the machine has no npm, or where npm fails.
func Install(ctx context.Context, dir string) error {
	lock, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return err
	}
	sum := sha256.Sum256(lock)
	stamp, state := filepath.Join(dir, "node_modules", ".securebedrock"), []byte(hex.EncodeToString(sum[:]))
	if have, err := os.ReadFile(stamp); err == nil && bytes.Equal(have, state) {
		return nil
	}
	npm, err := exec.LookPath("npm")
	if err != nil {
		return MissingError("install npm, which is not on the PATH")
	}
	var out []byte
	for attempt := range 3 { // registries fail now and then
		time.Sleep(time.Duration(attempt) * 2 * time.Second)
		cmd := exec.CommandContext(ctx, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
		cmd.Dir = dir
		if out, err = cmd.CombinedOutput(); err == nil {
			return os.WriteFile(stamp, state, 0o600)
		}
	}
	return MissingError(fmt.Sprintf("npm ci in %s failed; the npm registry must be reachable once: %v\n%s", dir, err, out))
}
