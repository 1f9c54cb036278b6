//go:build !unix || solaris || aix

package ownfile

import (
	"io/fs"
	"os"
)

// Lock does nothing where there is no flock: it is for the owner to give each
// process a file of its own.
func Lock(*os.File) error { return nil }

// Removed reports false where a file that is open cannot be asked for its names.
func Removed(*os.File) bool { return false }

// Private says nothing where access is not a matter of mode bits.
func Private(fs.FileInfo) error { return nil }

// Folder says nothing where access is not a matter of mode bits.
func Folder(fs.FileInfo) error { return nil }
