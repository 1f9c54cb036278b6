//go:build unix

package configfile

import (
	"fmt"
	"io/fs"
)

// writable refuses a file that every user of the machine may write.
func writable(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o002 != 0 {
		return fmt.Errorf("its mode is %04o: every user may change the rules; chmod o-w", mode)
	}
	return nil
}
