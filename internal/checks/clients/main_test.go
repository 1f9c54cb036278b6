package clients_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// skipped are the clients that this machine does not have.
var skipped struct {
	sync.Mutex
	names []string
}

// have skips a test whose client is missing, and remembers the client's name. Other
// failures of a client's installation fail the test.
func have(t testing.TB, name string, err error) {
	t.Helper()
	lack, ok := err.(missing)
	if err != nil && !ok {
		t.Fatalf("%s cannot be run: %v", name, err)
	}
	if !ok {
		return
	}
	skipped.Lock()
	if !slices.Contains(skipped.names, name) {
		skipped.names = append(skipped.names, name)
	}
	skipped.Unlock()
	t.Skipf("%s is not checked: %s", name, lack)
}

// tempDir is a folder for the programs that the tests build.
var tempDir = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "clients")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return dir
})

func TestMain(m *testing.M) {
	status := m.Run()
	_ = os.RemoveAll(tempDir())
	if path := os.Getenv("SECUREBEDROCK_SKIPPED_CLIENTS"); path != "" {
		list := strings.Join(append(skipped.names, ""), "\n")
		if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
		}
	}
	line := fmt.Sprintf("clients skipped: %d", len(skipped.names))
	if len(skipped.names) > 0 {
		line += " (" + strings.Join(skipped.names, ", ") + ")"
	}
	fmt.Println(line)
	os.Exit(status)
}
