//go:build !unix || solaris || aix

package rotatefile

import (
	"io/fs"
	"os"
)

// Without flock it is for the owner to give each process a file of its own.
func lockFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
}

// Access is not a matter of mode bits there.
func shared(fs.FileInfo) bool { return false }
