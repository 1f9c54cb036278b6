package audit

import (
	"context"
	"errors"
)

type noLogger struct{}

func (noLogger) Write(context.Context, *Record) error { return errNoLogger }

func (noLogger) fault() error { return errNoLogger }

var (
	errNoLogger = errors.New("audit: the logger is nil")
	// ErrDropped: a logger does not keep records of this level, or samples them.
	ErrDropped = errors.New("audit: the logger drops the record: its level or a sampler keeps it out")
)
