package middleware

import (
	"errors"

	"github.com/securebedrock/securebedrock-go/internal/foreign"
)

var errPanicked = errors.New("middleware: a panic was caught")

// caught calls a function of the application's and makes an error of a panic.
func caught(what string, f func() error) error { return foreign.Caught(errPanicked, what, f) }
