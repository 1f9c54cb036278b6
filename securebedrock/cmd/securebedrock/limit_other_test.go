//go:build !unix

package main

// fileLimit has no effect where a process has no limits.
const fileLimit = "SECUREBEDROCK_TEST_FILE_LIMIT"

func limitFiles(string) {}
