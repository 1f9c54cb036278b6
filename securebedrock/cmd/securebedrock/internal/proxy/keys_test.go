package proxy

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/securebedrock/securebedrock-go/securebedrock/configfile"
)

// A credentials file in the folder that the proxy starts in, in a folder that is there
// and in one that is not, is held by one proxy at a time.
func TestHoldCredentials(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.Mkdir("there", 0o700); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"credentials", "./credentials2", "there/credentials", "made/in/time/credentials", filepath.Join(t.TempDir(), "credentials")} {
		t.Run(path, func(t *testing.T) {
			p := plan{Proxy: configfile.Proxy{Credentials: path}}
			held, err := holdCredentials(p)
			if err != nil {
				t.Fatal(err)
			}
			if second, err := holdCredentials(p); err == nil {
				second.Close()
				t.Error("a second proxy holds the file, too")
			}
			if err := held.Close(); err != nil {
				t.Fatal(err)
			}
			again, err := holdCredentials(p)
			if err != nil {
				t.Fatalf("after the first has ended: %v", err)
			}
			again.Close()
		})
	}
}
