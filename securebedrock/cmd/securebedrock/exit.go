package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// The exit codes. The root command's help tells them.
const (
	exitOK      = 0
	exitFinding = 1
	exitUsage   = 2
	exitFault   = 3
)

// exitError is an error with its exit code.
type exitError struct {
	code int
	err  error // nil: the output has said everything
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// finding ends a command that has told what it found on stdout.
func finding() error { return &exitError{code: exitFinding} }

// usagef is an error of the command line.
func usagef(format string, args ...any) error {
	return &exitError{code: exitUsage, err: fmt.Errorf(format, args...)}
}

func faultOf(err error) error { return &exitError{code: exitFault, err: err} }

// action makes a command's function. An error without an exit code is a fault.
func action(do func(*cobra.Command, []string) error) func(*cobra.Command, []string) error {
	return func(c *cobra.Command, args []string) error {
		err := do(c, args)
		var coded *exitError
		if err == nil || errors.As(err, &coded) {
			return err
		}
		return faultOf(err)
	}
}

// report writes the error and returns the exit code. An error without one is cobra's own,
// about the command line.
func report(c *cobra.Command, err error, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	code := exitUsage
	var coded *exitError
	if errors.As(err, &coded) {
		code = coded.code
	}
	if text := err.Error(); text != "" {
		fmt.Fprintf(stderr, "securebedrock: %s\n", text)
	}
	if code == exitUsage {
		fmt.Fprintf(stderr, "Run '%s --help' for usage.\n", c.CommandPath())
	}
	return code
}
