package ownfile

import (
	"errors"
	"os"
	"path/filepath"
)

// Replace puts a file with the mode 0600 in the place of path: wholly or not at all, and
// on the disk once Replace returns. The path's folder is there. Folder says whether
// others could put another file there.
func Replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}
