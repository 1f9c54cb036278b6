// Package rotatefile writes audit records to a file that is rotated by size or time.
//
//	file, err := rotatefile.New("/var/log/app/audit.log", rotatefile.Options{})
//	tail, err := file.Tail(keys)
//	chain, err := audit.Chain(file, audit.ChainOptions{Key: key, Signer: signer, Resume: tail})
//
// A chain continues from file to file. To verify the chain, read all files through Open.
// Nothing is deleted unless Options.Keep is set; Verify reports deleted records as removed.
//
// The name of a rotated file has a number and the time:
// audit-00000007-2026-11-24T10-00-00.000.log beside audit.log. Files are ordered by the
// chain's sequence numbers in them, or without a chain by the number in the name. A clock
// that is set back does not change the order. Names without a number, which earlier
// versions wrote, are read too.
package rotatefile

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// Options are the options of New.
type Options struct {
	// MaxSize is the size in megabytes at which the file is rotated. A longer
	// record gets its own file. Zero: 100.
	MaxSize int
	// Interval is the age at which the file is also rotated, before the next
	// record. Zero: never.
	Interval time.Duration
	// Keep is the number of rotated files that are kept. Zero: all.
	Keep int
	// Compress packs rotated files with gzip.
	Compress bool
	// NoSync lets the operating system decide when records reach the disk. Without
	// NoSync each record reaches the disk before its Write returns.
	NoSync bool
}

// Sink is an audit.Sink that writes to a rotated file. It is safe for concurrent
// use. Only the owner can read or write its files (0600).
type Sink struct {
	path string
	opts Options
	lock *os.File

	mu     sync.Mutex
	file   *audit.FileSink
	lost   bool // the file could not be opened after a rotation
	began  time.Time
	closed bool

	packing sync.WaitGroup
	packer  sync.Mutex
	packErr error // of packer
}

var (
	_ audit.Continuable = (*Sink)(nil)
	_ audit.Flusher     = (*Sink)(nil)
)

// New opens path. New refuses a file that others can read or write. On systems with
// flock, New also refuses a file that another Sink or an audit.File has open; the
// locks are on path and on path with ".lock".
func New(path string, opts Options) (*Sink, error) {
	if path == "" || opts.MaxSize < 0 || opts.Interval < 0 || opts.Keep < 0 {
		return nil, fmt.Errorf("%w: rotatefile: a path is needed, and no negative MaxSize, Interval or Keep", securebedrock.ErrConfig)
	}
	if opts.MaxSize == 0 {
		opts.MaxSize = 100
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("rotatefile: %s: another process or Sink has it open: %w", path, err)
	}
	policy := audit.SyncEach
	if opts.NoSync {
		policy = audit.SyncNever
	}
	file, err := audit.File(path, audit.FileOptions{Sync: policy})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("rotatefile: %w", err), lock.Close())
	}
	return &Sink{path: path, opts: opts, lock: lock, file: file, began: time.Now()}, nil
}

func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := ownfile.Lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

func notWritten(err error) error {
	return fmt.Errorf("rotatefile: %w: %w", audit.ErrNotWritten, err)
}

// Write implements audit.Sink.
func (s *Sink) Write(ctx context.Context, r *audit.Record) error {
	line, err := r.Line()
	if err != nil {
		return notWritten(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	size, err := s.file.Size()
	if err != nil {
		return notWritten(err)
	}
	due := size+int64(len(line))+1 > int64(s.opts.MaxSize)<<20 || s.opts.Interval > 0 && time.Since(s.began) >= s.opts.Interval
	if due && size > 0 && !s.torn(size) {
		if err := s.rotate(); err != nil {
			return notWritten(err)
		}
	}
	if err := s.file.Write(ctx, r); err != nil {
		return fmt.Errorf("rotatefile: %w", err)
	}
	return nil
}

// ready opens the file again where that failed after a rotation.
func (s *Sink) ready() error {
	if s.closed {
		return audit.ErrClosed
	}
	if s.lost {
		if err := s.file.Reopen(); err != nil {
			return notWritten(err)
		}
		s.lost = false
	}
	return nil
}

// torn says whether the file ends in mid-line. It is not rotated then: the next
// record, which ends the line, has to be in the same file.
func (s *Sink) torn(size int64) bool {
	f, err := os.Open(s.path)
	if err != nil {
		return false
	}
	defer f.Close()
	torn, err := ownfile.Torn(f, size)
	return err == nil && torn
}

func (s *Sink) rotate() error {
	name, err := s.nextName()
	if err != nil {
		return err
	}
	// Closed before, for the systems that rename no open file. The lock file keeps
	// other Sinks away meanwhile.
	err = s.file.Close()
	if err == nil {
		err = os.Rename(s.path, name)
	}
	s.lost = true
	if rerr := s.ready(); err != nil || rerr != nil {
		return errors.Join(err, rerr)
	}
	s.began = time.Now()
	s.packing.Go(s.tidy)
	return nil
}

// nextName is that of the file when it is rotated.
func (s *Sink) nextName() (string, error) {
	files, err := list(s.path)
	if err != nil {
		return "", err
	}
	number := 0
	for _, f := range files {
		number = max(number, f.number)
	}
	ext := filepath.Ext(s.path)
	name := fmt.Sprintf("%s-%08d-%s%s", strings.TrimSuffix(s.path, ext), number+1, time.Now().UTC().Format(timeForm), ext)
	if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("rotatefile: %s is there already", name)
	}
	return name, nil
}

// Flush syncs the file, and returns the errors of packing since the last Flush.
func (s *Sink) Flush(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	return errors.Join(s.file.Flush(ctx), s.packed())
}

// Rotate begins another file now, unless the file is empty.
func (s *Sink) Rotate() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(); err != nil {
		return err
	}
	size, err := s.file.Size()
	if err != nil || size == 0 || s.torn(size) {
		return err
	}
	return s.rotate()
}

// Size implements audit.Continuable.
func (s *Sink) Size() (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	files, err := Files(s.path)
	if err != nil {
		return 0, err
	}
	size := int64(0)
	for _, name := range files {
		info, err := os.Stat(name)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return 0, fmt.Errorf("rotatefile: %w", err)
		}
		if err == nil {
			size += info.Size()
		}
	}
	return size, nil
}

// Close syncs and closes the file, and waits until the rotated files are packed.
func (s *Sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.file.Close()
	s.packing.Wait()
	return errors.Join(err, s.packed(), s.lock.Close())
}
