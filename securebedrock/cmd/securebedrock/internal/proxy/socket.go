package proxy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// maxSocketPath is what every system takes as the path of a socket; Linux takes 107 bytes.
const maxSocketPath = 103

// prepareSocket makes room for a socket. Its folder belongs to the proxy's user alone:
// between bind and chmod, the folder's mode keeps others out. A socket that a process has
// left behind is removed, and one on which somebody answers is not.
func prepareSocket(ctx context.Context, path string) error {
	if len(path) > maxSocketPath {
		return fmt.Errorf("the path of the socket has %d bytes, and a system takes %d; choose a shorter one", len(path), maxSocketPath)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	info, err := os.Stat(dir)
	if err != nil {
		return err
	}
	if mode := info.Mode().Perm(); runtime.GOOS != "windows" && mode&0o077 != 0 {
		return fmt.Errorf("the mode of %s is %04o: others can reach the socket; chmod 700, or name a folder that the proxy makes", dir, mode)
	}
	info, err = os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there and is no socket; name another path", path)
	}
	switch live, err := answers(ctx, path); {
	case err != nil:
		return fmt.Errorf("whether a process listens on %s cannot be told; remove the socket: %w", path, err)
	case live:
		return fmt.Errorf("another process listens on %s; end it, or name another path", path)
	}
	return os.Remove(path)
}

// closeSocket lets only the proxy's user connect.
func closeSocket(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	return os.Chmod(path, 0o600)
}

func isRefused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
