// Package rotatefile is an audit sink in a file that is rotated by size or time.
//
//	file, err := rotatefile.New("/var/log/app/audit.log", rotatefile.Options{})
//	tail, err := file.Tail(keys)
//	chain, err := audit.Chain(file, audit.ChainOptions{Key: key, Signer: signer, Resume: tail})
//
// A chain goes on from file to file: verify Open's reader, which joins them.
// Nothing is deleted unless Options say so, and what is deleted shows as removed.
//
// The rotation is github.com/DeRuina/timberjack's, a kept-up fork of lumberjack that
// can sync and whose goroutine ends.
package rotatefile

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/DeRuina/timberjack"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
	"github.com/securebedrock/securebedrock-go/securebedrock"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

// Options of a Sink.
type Options struct {
	// MaxSize is the size in megabytes at which the file is rotated. Zero: 100.
	MaxSize int
	// Interval rotates the file after this time, too. Zero: never.
	Interval time.Duration
	// Keep is the number of rotated files that are kept. Zero: all.
	Keep int
	// Compress packs rotated files with gzip.
	Compress bool
	// NoSync leaves it to the system when records reach the disk. Else each has,
	// before its Write returns.
	NoSync bool
}

// Sink is an audit.Sink. Files are made for their owner alone (0600).
type Sink struct {
	path string
	opts Options
	lock *os.File

	mu     sync.Mutex
	log    *timberjack.Logger
	torn   bool
	closed bool
	buf    []byte
}

// New opens path. A file that others can read or write is refused, and so is one
// that another Sink has open, where the system has flock; path with ".lock" is
// what is locked.
func New(path string, opts Options) (*Sink, error) {
	if path == "" || opts.MaxSize < 0 || opts.Interval < 0 || opts.Keep < 0 {
		return nil, fmt.Errorf("%w: rotatefile: a path is needed, and no negative MaxSize, Interval or Keep", securebedrock.ErrConfig)
	}
	lock, err := lockFile(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("rotatefile: %s: another process or Sink has it open: %w", path, err)
	}
	s := &Sink{path: path, opts: opts, lock: lock}
	if s.torn, err = check(path); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	compression := "none"
	if opts.Compress {
		compression = "gzip"
	}
	s.log = &timberjack.Logger{Filename: path, MaxSize: opts.MaxSize, MaxBackups: opts.Keep, RotationInterval: opts.Interval, Compression: compression, FileMode: 0o600}
	return s, nil
}

// check refuses a file that is not its owner's, and says whether it ends in mid-line.
func check(path string) (torn bool, err error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("rotatefile: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	switch {
	case err != nil:
		return false, fmt.Errorf("rotatefile: %w", err)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("rotatefile: %s is not a regular file", path)
	}
	if err := ownfile.Private(info); err != nil {
		return false, fmt.Errorf("rotatefile: %s: %w", path, err)
	}
	if info.Size() == 0 {
		return false, nil
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, info.Size()-1); err != nil {
		return false, fmt.Errorf("rotatefile: %w", err)
	}
	return last[0] != '\n', nil
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

// Write implements audit.Sink.
func (s *Sink) Write(_ context.Context, r *audit.Record) error {
	line, err := r.Line()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return audit.ErrClosed
	}
	s.buf = s.buf[:0]
	if s.torn {
		s.buf = append(s.buf, '\n')
	}
	s.buf = append(append(s.buf, line...), '\n')
	n, err := s.log.Write(s.buf)
	if err != nil {
		s.torn = s.torn || n > 0
		return fmt.Errorf("rotatefile: %w", err)
	}
	s.torn = false
	if !s.opts.NoSync {
		if err := s.log.Sync(); err != nil {
			return fmt.Errorf("rotatefile: %w", err)
		}
	}
	return nil
}

// Flush syncs the file.
func (s *Sink) Flush(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return audit.ErrClosed
	}
	return s.log.Sync()
}

// Rotate begins another file now.
func (s *Sink) Rotate() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return audit.ErrClosed
	}
	return errors.Join(s.log.Sync(), s.log.Rotate())
}

// Close syncs and closes the file, and waits for the packing of rotated ones.
func (s *Sink) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	return errors.Join(s.log.Sync(), s.log.Close(), s.lock.Close())
}

// Files are the log's files, the oldest first. They are told by their names:
// audit-2026-11-24T10-00-00.000-size.log beside audit.log.
func Files(path string) ([]string, error) {
	ext := filepath.Ext(path)
	prefix := strings.TrimSuffix(filepath.Base(path), ext) + "-"
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("rotatefile: %w", err)
	}
	var files []string
	for _, e := range entries {
		name := e.Name()
		rest, ok := strings.CutPrefix(strings.TrimSuffix(name, ".gz"), prefix)
		if !ok || !strings.HasSuffix(rest, ext) || len(rest) < len("2006-01-02T15-04-05.000") {
			continue
		}
		if _, err := time.Parse("2006-01-02T15-04-05.000", rest[:len("2006-01-02T15-04-05.000")]); err == nil {
			files = append(files, filepath.Join(filepath.Dir(path), name))
		}
	}
	slices.Sort(files)
	// While a file is packed both it and its package may be there.
	files = slices.DeleteFunc(files, func(f string) bool {
		return strings.HasSuffix(f, ".gz") && slices.Contains(files, strings.TrimSuffix(f, ".gz"))
	})
	if _, err := os.Stat(path); err == nil {
		files = append(files, path)
	}
	return files, nil
}

// Open joins the log's files for audit.Verify, the oldest first. Close what it
// returns.
func Open(path string) (io.ReadCloser, error) {
	files, err := Files(path)
	if err != nil {
		return nil, err
	}
	j := new(joined)
	var readers []io.Reader
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("rotatefile: %w", err), j.Close())
		}
		j.files = append(j.files, f)
		var r io.Reader = f
		if strings.HasSuffix(name, ".gz") {
			if r, err = gzip.NewReader(f); err != nil {
				return nil, errors.Join(fmt.Errorf("rotatefile: %s: %w", name, err), j.Close())
			}
		}
		readers = append(readers, r)
	}
	j.Reader = io.MultiReader(readers...)
	return j, nil
}

type joined struct {
	io.Reader
	files []*os.File
}

// Close implements io.Closer.
func (j *joined) Close() error {
	var errs []error
	for _, f := range j.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Tail reads the end of the log for audit.ChainOptions.Resume: of the file, or of
// the newest rotated one where the file is empty.
func (s *Sink) Tail(keys audit.Keys) (*audit.Tail, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	files, err := Files(s.path)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Backward(files) {
		tail, err := tailOf(name, keys)
		if err != nil || tail.Stream != "" || tail.TornBytes > 0 {
			return tail, err
		}
	}
	return new(audit.Tail), nil
}

func tailOf(name string, keys audit.Keys) (*audit.Tail, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("rotatefile: %w", err)
	}
	defer f.Close()
	if !strings.HasSuffix(name, ".gz") {
		return audit.ReadTail(f, keys)
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, fmt.Errorf("rotatefile: %s: %w", name, err)
	}
	text, err := io.ReadAll(z) // of MaxSize at most
	if err != nil {
		return nil, fmt.Errorf("rotatefile: %s: %w", name, err)
	}
	return audit.ReadTail(bytes.NewReader(text), keys)
}
