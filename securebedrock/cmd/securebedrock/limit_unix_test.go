//go:build unix

package main

import (
	"os/signal"
	"strconv"
	"syscall"
)

// fileLimit names the largest size of a file, in bytes, that a process of a test may
// write.
const fileLimit = "SECUREBEDROCK_TEST_FILE_LIMIT"

// limitFiles makes a write beyond a size fail, as on a full disk.
func limitFiles(size string) {
	if n, err := strconv.ParseUint(size, 10, 63); err == nil {
		signal.Ignore(syscall.SIGXFSZ)
		_ = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n})
	}
}
