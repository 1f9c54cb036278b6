package clients_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"time"
)

// missing is what the machine lacks for a client.
type missing string

func (m missing) Error() string { return string(m) }

// node returns the program that runs node/driver.mjs, with the SDKs of the lock installed.
var node = sync.OnceValues(func() (string, error) {
	program, err := exec.LookPath("node")
	if err != nil {
		return "", missing("install Node.js 20 or newer, which is not on the PATH")
	}
	return program, installNode("node")
})

// installNode installs what the lock names, once for each state of the lock.
func installNode(dir string) error {
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
		return missing("install npm, which is not on the PATH")
	}
	var out []byte
	for attempt := range 3 { // registries fail now and then
		time.Sleep(time.Duration(attempt) * 2 * time.Second)
		cmd := exec.Command(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
		cmd.Dir = dir
		if out, err = cmd.CombinedOutput(); err == nil {
			return os.WriteFile(stamp, state, 0o600)
		}
	}
	return missing(fmt.Sprintf("npm ci in internal/checks/clients/node failed; the npm registry must be reachable once: %v\n%s", err, out))
}
