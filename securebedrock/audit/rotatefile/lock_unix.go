//go:build unix && !solaris && !aix

package rotatefile

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func shared(info fs.FileInfo) bool { return info.Mode().Perm()&0o077 != 0 }
