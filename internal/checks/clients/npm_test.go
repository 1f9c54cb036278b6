package clients_test

import (
	"context"
	"os/exec"
	"sync"

	nodepackages "github.com/securebedrock/securebedrock-go/internal/checks/npm"
)

// missing is what the machine lacks for a client.
type missing = nodepackages.MissingError

// node returns the program that runs node/driver.mjs, with the SDKs of the lock installed.
var node = sync.OnceValues(func() (string, error) {
	program, err := exec.LookPath("node")
	if err != nil {
		return "", missing("install Node.js 20 or newer, which is not on the PATH")
	}
	return program, nodepackages.Install(context.Background(), "node")
})
