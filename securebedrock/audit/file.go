package audit

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
	"github.com/securebedrock/securebedrock-go/securebedrock"
)

// SyncPolicy sets when the records of a File reach the disk. With every policy, the
// operating system has a record before Write returns. The record then survives the
// death of the process, and may not survive a power failure.
type SyncPolicy int

// The policies.
const (
	SyncEach     SyncPolicy = iota // with every record, before Write returns
	SyncInterval                   // once every FileOptions.Interval
	SyncNever                      // when the operating system decides, and at Close
)

// FileOptions are the options of File.
type FileOptions struct {
	Sync SyncPolicy
	// Interval is the time between two syncs with SyncInterval. Zero: 1 s.
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
	head   func(begin func(head *Record) error) error // a chain's reopen
}

// File opens path to append records, and creates it for its owner alone (0600). A
// file that others can read or write is refused, and so is one that another File
// has open, where the system has flock.
//
// A write that fails is undone, so that the file holds whole lines, and its error
// wraps ErrNotWritten. A last line that is not whole, left by a process that died,
// stays as it is; the next record begins on a line of its own.
//
// A file that was removed while it is open takes no record, where the system can tell.
//
// Rotation: rename the file and call Reopen, or use package rotatefile. Let Reopen
// make the new file (with logrotate: nocreate): it is there with the chain's next
// record in it or not at all, so that a process that dies loses no chain.
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
		return notWritten(fmt.Errorf("audit: %w", err))
	}
	if err := s.use(f, s.path); err != nil {
		return errors.Join(err, f.Close())
	}
	if s.size == 0 { // it may have been made just now
		syncDir(s.path)
	}
	return nil
}

// use takes an open file for the records.
func (s *FileSink) use(f *os.File, name string) error {
	fail := func(err error) error { return notWritten(fmt.Errorf("audit: %w", err)) }
	size, err := ownfile.Check(f)
	if errors.Is(err, ownfile.ErrIrregular) {
		return fail(fmt.Errorf("%s is not a regular file; use JSONLines for others", name))
	}
	if err != nil {
		return fail(fmt.Errorf("%s: %w", name, err))
	}
	if err := ownfile.Lock(f); err != nil {
		return fail(fmt.Errorf("%s: another process, File or rotatefile.Sink has it open: %w", name, err))
	}
	torn, err := ownfile.Torn(f, size)
	if err != nil {
		return fail(err)
	}
	s.f, s.size, s.torn, s.broken = f, size, torn, nil
	return nil
}

// begin makes the file with its first record in it, before it gets its name.
func (s *FileSink) begin(head *Record) error {
	if _, err := os.Lstat(s.path); !errors.Is(err, fs.ErrNotExist) {
		if err := s.open(); err != nil {
			return err
		}
		return s.write(head)
	}
	fail := func(err error) error { return notWritten(fmt.Errorf("audit: %w", err)) }
	name := s.path + ".new"
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a process that died here
		return fail(err)
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return fail(err)
	}
	err = s.use(f, name)
	if err == nil {
		err = s.write(head)
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		if err = os.Link(name, s.path); err == nil || !errors.Is(err, fs.ErrExist) {
			err = os.Rename(name, s.path) // nothing, where both names are the file's
		}
	}
	if err == nil {
		_ = os.Remove(name)
		syncDir(s.path)
		return nil
	}
	s.f = nil
	return fail(errors.Join(err, f.Close(), os.Remove(name)))
}

// syncDir has a file's name reach the disk, where the system can.
func syncDir(path string) {
	if d, err := os.Open(filepath.Dir(path)); err == nil {
		_ = d.Sync()
		_ = d.Close()
	}
}

// setHead has Reopen begin the new file with a chain's record.
func (s *FileSink) setHead(head func(begin func(head *Record) error) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.head = head
}

// Size implements Continuable.
func (s *FileSink) Size() (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.f == nil {
		return 0, ErrClosed
	}
	return s.size, nil
}

// Tail reads the end of the file for ChainOptions.Resume, see ReadTail.
func (s *FileSink) Tail(keys Keys) (*Tail, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.f == nil {
		return nil, ErrClosed
	}
	t, err := ReadTail(io.NewSectionReader(s.f, 0, s.size), keys)
	if err == nil {
		t.size = s.size
	}
	return t, err
}

// Write implements Sink.
func (s *FileSink) Write(_ context.Context, r *Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.write(r)
}

func (s *FileSink) write(r *Record) error {
	line, err := r.Line()
	switch {
	case err != nil:
		return notWritten(err)
	case s.f == nil:
		return ErrClosed
	case s.broken != nil:
		return notWritten(s.broken)
	case ownfile.Removed(s.f):
		return notWritten(fmt.Errorf("audit: %s was removed while it is open, and the record would go with it; Reopen makes a new file", s.path))
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
	return notWritten(fmt.Errorf("audit: %w", err))
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

// Reopen closes the file and opens path again, after a rotation. Reopen also ends
// the state after a write that could not be undone. If Reopen fails, the sink is
// closed until a Reopen succeeds.
//
// If a Chain writes directly to the File, the chain's next checkpoint begins the
// new file. Reopen then waits at most 5 s for a write in progress.
func (s *FileSink) Reopen() error {
	s.mu.Lock()
	head := s.head
	s.mu.Unlock()
	if head != nil {
		return head(s.reopen)
	}
	return s.reopen(nil)
}

func (s *FileSink) reopen(head *Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.close(); err != nil {
		return errors.Join(err, s.open())
	}
	if head == nil {
		return s.open()
	}
	return s.begin(head)
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
