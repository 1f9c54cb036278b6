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

func TestMain(m *testing.M) {
	status := m.Run()
	line := fmt.Sprintf("clients skipped: %d", len(skipped.names))
	if len(skipped.names) > 0 {
		line += " (" + strings.Join(skipped.names, ", ") + ")"
	}
	fmt.Println(line)
	os.Exit(status)
}
