// Securebedrock is the command over the configuration file of the guarded Bedrock client.
//
//	securebedrock init                      # writes securebedrock.yaml
//	securebedrock policies -o policies      # writes the IAM policies that demand the same
//	securebedrock explain MODEL             # says which policy lets a call through or stops it
//	securebedrock audit keys                # makes the keys of an audit log
//	securebedrock audit verify audit.log    # verifies an audit log
//	securebedrock proxy                     # serves the client to the SDKs of other languages
//
// Every command but proxy works offline, takes no setting from the environment, and writes
// the same output for the same input. "securebedrock COMMAND --help" tells more.
//
// The exit code is 0 on success, 1 for a finding (a denied call, a log that does not
// verify), 2 for a wrong command line, and 3 for a fault (a file that cannot be read or
// written, an invalid configuration).
package main

import (
	"context"
	"io"
	"os"
)

func main() { os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// run is the command as a function. It returns the exit code.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	out := &checkedWriter{to: stdout}
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(out)
	root.SetErr(stderr)
	command, err := root.ExecuteContextC(context.Background())
	if err == nil && out.err != nil { // a full disk behind a pipe is no success
		err = faultOf(out.err)
	}
	return report(command, err, stderr)
}

// checkedWriter keeps the first error of a writer.
type checkedWriter struct {
	to  io.Writer
	err error
}

func (w *checkedWriter) Write(p []byte) (int, error) {
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.to.Write(p)
	w.err = err
	return n, err
}
