package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// SyncPolicy says when a File's records reach the disk. In every case they are
// with the operating system before Write returns, which a process that dies does
// not undo, and a power failure does.
type SyncPolicy int

// The policies.
const (
	SyncEach     SyncPolicy = iota // with every record, before Write returns
	SyncInterval                   // once in FileOptions.Interval
	SyncNever                      // when the system sees fit, and at Close
)

// FileOptions of a File.
type FileOptions struct {
	Sync SyncPolicy
	// Interval for SyncInterval. Zero: 1 s.
	Interval time.Duration
}

// FileSink appends records to a file as lines of JSON. See File.
type FileSink struct {
	path string
	opts FileOptions

	mu     sync.Mutex
	f      *os.File
	size   int64
	torn   bool // the file ends in mid-line
	dirty  bool
	broken error // a failed write that could not be undone
	timer  *time.Timer
	buf    []byte
}

// File opens path to append records, and creates it for its owner alone (0600). A
// file that others can read or write is refused, and so is one that another File
// has open, where the system has flock.
//
// A write that fails is undone, so that the file holds whole lines. A last line
// that is not whole, left by a process that died, stays as it is; the next record
// begins on a line of its own.
//
// Rotation: rename the file and call Reopen, or use package rotatefile.
func File(path string, opts FileOptions) (*FileSink, error) {
	if opts.Sync < SyncEach || opts.Sync > SyncNever || opts.Interval < 0 {
		return nil, fmt.Errorf("%w: audit: File: the sync policy is unknown or its interval negative", securebedrock.ErrConfig)
	}
	if opts.Interval == 0 {
		opts.Interval = time.Second
	}
	s := &FileSink{path: path, opts: opts}
	if err := s.open(); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *FileSink) open() error {
	f, err := os.OpenFile(s.path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("audit: %w", err)
	}
	fail := func(err error) error { return errors.Join(err, f.Close()) }
	info, err := f.Stat()
	if err != nil {
		return fail(fmt.Errorf("audit: %w", err))
	}
	if info.Mode().IsRegular() {
		if err := ownfile.Private(info); err != nil {
			return fail(fmt.Errorf("audit: %s: %w", s.path, err))
		}
	} else {
		return fail(fmt.Errorf("audit: %s is not a regular file; use JSONLines for others", s.path))
	}
	if err := ownfile.Lock(f); err != nil {
		return fail(fmt.Errorf("audit: %s: another process or File has it open: %w", s.path, err))
	}
	s.f, s.size, s.torn, s.broken = f, info.Size(), false, nil
	if s.size > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, s.size-1); err != nil {
			return fail(fmt.Errorf("audit: %w", err))
		}
		s.torn = last[0] != '\n'
	}
	return nil
}

// Tail reads the end of the file for ChainOptions.Resume, see ReadTail.
func (s *FileSink) Tail(keys Keys) (*Tail, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.f == nil {
		return nil, ErrClosed
	}
	return ReadTail(io.NewSectionReader(s.f, 0, s.size), keys)
}

// Write implements Sink.
func (s *FileSink) Write(_ context.Context, r *Record) error {
	line, err := r.Line()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.f == nil:
		return ErrClosed
	case s.broken != nil:
		return s.broken
	}
	s.buf = s.buf[:0]
	if s.torn {
		s.buf = append(s.buf, '\n')
	}
	s.buf = append(append(s.buf, line...), '\n')
	_, err = s.f.Write(s.buf)
	if err == nil && s.opts.Sync == SyncEach {
		err = s.f.Sync()
	}
	if err != nil {
		return s.undo(err)
	}
	s.size += int64(len(s.buf))
	s.torn = false
	if s.opts.Sync == SyncInterval && !s.dirty {
		s.dirty = true
		s.timer = time.AfterFunc(s.opts.Interval, s.tick)
	}
	return nil
}

// undo takes back what a failed write left.
func (s *FileSink) undo(err error) error {
	if terr := s.f.Truncate(s.size); terr != nil {
		s.broken = fmt.Errorf("audit: %s ends in a write that failed and could not be undone: %w", s.path, errors.Join(err, terr))
		return s.broken
	}
	return fmt.Errorf("audit: %w", err)
}

func (s *FileSink) tick() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.f != nil && s.dirty {
		if err := s.f.Sync(); err != nil { // the system may have dropped what it had: say so from now on
			s.broken = fmt.Errorf("audit: %s could not be synced: %w", s.path, err)
		}
	}
	s.dirty = false
}

// Flush syncs the file.
func (s *FileSink) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.f == nil:
		return ErrClosed
	case s.broken != nil:
		return s.broken
	}
	return s.f.Sync()
}

// Reopen closes the file and opens path anew, after a rotation. It also ends the
// state after a write that could not be undone. Where it fails the sink is closed.
func (s *FileSink) Reopen() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := s.close()
	return errors.Join(err, s.open())
}

// Close syncs and closes the file.
func (s *FileSink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.close()
}

func (s *FileSink) close() error {
	if s.f == nil {
		return nil
	}
	if s.timer != nil {
		s.timer.Stop()
	}
	s.dirty = false
	err := errors.Join(s.f.Sync(), s.f.Close())
	s.f = nil
	return err
}
