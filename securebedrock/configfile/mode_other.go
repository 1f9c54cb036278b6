//go:build !unix

package configfile

import "io/fs"

// writable says nothing where access is not a matter of mode bits.
func writable(fs.FileInfo) error { return nil }
