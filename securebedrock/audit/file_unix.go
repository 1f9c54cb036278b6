//go:build unix && !solaris && !aix

package audit

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// lock keeps a second writer off: two would break each other's chain.
func lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

func private(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("its mode is %04o: others can reach the records; chmod 600", mode)
	}
	return nil
}
