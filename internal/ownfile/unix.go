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

// Removed reports that an open file has no name any more: what is written there is gone
// once the file is closed.
func Removed(f *os.File) bool {
	var stat syscall.Stat_t
	return syscall.Fstat(int(f.Fd()), &stat) == nil && stat.Nlink == 0
}

// Private refuses a file that others can read or write.
func Private(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return fmt.Errorf("its mode is %04o: others can reach the records; chmod 600", mode)
	}
	return nil
}

// Folder refuses a folder in which others than the process's user and root can put a
// file in the place of another.
func Folder(info fs.FileInfo) error {
	if mode := info.Mode().Perm(); mode&0o022 != 0 {
		return fmt.Errorf("the folder's mode is %04o: others can replace its files; chmod go-w, or choose another folder", mode)
	}
	if stat, ok := info.Sys().(*syscall.Stat_t); ok && stat.Uid != 0 && int(stat.Uid) != os.Geteuid() {
		return fmt.Errorf("the folder belongs to user %d, who can replace its files; choose a folder of this user", stat.Uid)
	}
	return nil
}
