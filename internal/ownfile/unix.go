//go:build unix && !solaris && !aix

package ownfile

import (
	"fmt"
	"io/fs"
	"os"
	"syscall"
)

// Lock keeps a second process, and a second opening in this one, off a file until
// it is closed.
func Lock(f *os.File) error {
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
}

// Private refuses a file that others can read or write.
func Private(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("its mode is %04o: others can reach the records; chmod 600", mode)
	}
	return nil
}
