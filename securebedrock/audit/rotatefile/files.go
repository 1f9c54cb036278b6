package rotatefile

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
	"github.com/securebedrock/securebedrock-go/securebedrock/audit"
)

const timeForm = "2006-01-02T15-04-05.000"

// rotated is a file that its name tells to be a rotated one.
type rotated struct {
	name   string
	number int // 0: of an earlier version, which wrote none
}

// list is the rotated files in the order of their names.
func list(path string) ([]rotated, error) {
	ext := filepath.Ext(path)
	prefix := strings.TrimSuffix(filepath.Base(path), ext) + "-"
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		return nil, fmt.Errorf("rotatefile: %w", err)
	}
	var files []rotated
	for _, e := range entries {
		rest, ok := strings.CutPrefix(strings.TrimSuffix(e.Name(), ".gz"), prefix)
		if !ok || !strings.HasSuffix(rest, ext) {
			continue
		}
		f := rotated{name: filepath.Join(filepath.Dir(path), e.Name())}
		if number, after, ok := strings.Cut(rest, "-"); ok && len(number) >= 8 {
			if f.number, err = strconv.Atoi(number); err != nil || f.number <= 0 {
				continue
			}
			rest = after
		}
		if len(rest) < len(timeForm) {
			continue
		}
		if _, err := time.Parse(timeForm, rest[:len(timeForm)]); err == nil {
			files = append(files, f)
		}
	}
	slices.SortFunc(files, func(a, b rotated) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.name, b.name))
	})
	// While a file is packed both it and its package may be there.
	there := map[string]bool{}
	for _, f := range files {
		there[f.name] = true
	}
	return slices.DeleteFunc(files, func(f rotated) bool {
		plain, packed := strings.CutSuffix(f.name, ".gz")
		return packed && there[plain]
	}), nil
}

// Files returns the log's files, the oldest first. The names tell which files
// belong to the log. The order is that of the chain's sequence numbers, or without
// a chain that of the names.
func Files(path string) ([]string, error) {
	files, err := list(path)
	if err != nil {
		return nil, err
	}
	heads := make([]head, len(files))
	places := map[string][]int{} // by chain
	for i, f := range files {
		heads[i] = headOf(f.name)
		if s := heads[i].stream; s != "" {
			places[s] = append(places[s], i)
		}
	}
	names := make([]string, len(files), len(files)+1)
	for i, f := range files {
		names[i] = f.name
	}
	for _, at := range places { // the places of a chain's files, in the order of its numbers
		sorted := slices.Clone(at)
		slices.SortStableFunc(sorted, func(a, b int) int { return cmp.Compare(heads[a].seq, heads[b].seq) })
		for i, from := range sorted {
			names[at[i]] = files[from].name
		}
	}
	if _, err := os.Stat(path); err == nil {
		names = append(names, path)
	}
	return names, nil
}

// head is the place of a file's first record in its chain. It orders files; that
// the order is right is for Verify to say.
type head struct {
	stream string
	seq    uint64
}

func headOf(name string) head {
	f, err := open(name)
	if err != nil {
		return head{}
	}
	defer f.Close()
	in := bufio.NewReaderSize(io.LimitReader(f, 32<<20), 64<<10)
	for {
		line, err := in.ReadBytes('\n') // torn ones may come first
		var r struct {
			Chain *audit.Link `json:"chain"`
		}
		if json.Unmarshal(line, &r) == nil && r.Chain != nil {
			return head{r.Chain.Stream, r.Chain.Seq}
		}
		if err != nil {
			return head{}
		}
	}
}

// open opens a file, a packed one too.
func open(name string) (io.ReadCloser, error) {
	f, err := os.Open(name)
	if err != nil || !strings.HasSuffix(name, ".gz") {
		return f, err
	}
	z, err := gzip.NewReader(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", name, err), f.Close())
	}
	return unpacked{z, f}, nil
}

type unpacked struct {
	io.Reader
	io.Closer
}

// Open joins the log's files for audit.Verify, the oldest first. The caller closes
// the result.
func Open(path string) (io.ReadCloser, error) {
	for try := 1; ; try++ {
		j, err := join(path)
		if err == nil || try == 20 || !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errMoved) {
			return j, err
		}
		time.Sleep(time.Duration(try) * time.Millisecond) // a file was rotated or packed meanwhile
	}
}

var errMoved = errors.New("rotatefile: the log was rotated again and again while it was opened")

func join(path string) (io.ReadCloser, error) {
	files, err := Files(path)
	if err != nil {
		return nil, err
	}
	j := new(joined)
	for _, name := range files {
		f, err := open(name)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("rotatefile: %w", err), j.Close())
		}
		j.files = append(j.files, f)
	}
	after, err := Files(path)
	if err == nil && !slices.Equal(files, after) {
		err = errMoved
	}
	if err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return j, nil
}

// joined reads files one after the other, with a newline behind each that has none.
type joined struct {
	files []io.ReadCloser
	at    int
	last  byte
}

// Read implements io.Reader.
func (j *joined) Read(p []byte) (int, error) {
	for j.at < len(j.files) && len(p) > 0 {
		n, err := j.files[j.at].Read(p)
		if n > 0 {
			j.last = p[n-1]
			return n, nil
		}
		if err == nil {
			continue
		}
		if err != io.EOF {
			return 0, fmt.Errorf("rotatefile: %w", err)
		}
		j.at++
		if j.last != 0 && j.last != '\n' && j.at < len(j.files) {
			p[0], j.last = '\n', '\n'
			return 1, nil
		}
	}
	if len(p) == 0 {
		return 0, nil
	}
	return 0, io.EOF
}

// Close implements io.Closer.
func (j *joined) Close() error {
	var errs []error
	for _, f := range j.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}

// Tail reads the end of the log for audit.ChainOptions.Resume. It reads the newest
// files, as far back as the last record goes.
func (s *Sink) Tail(keys audit.Keys) (*audit.Tail, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	files, err := Files(s.path)
	if err != nil {
		return nil, err
	}
	e := new(end)
	defer e.close()
	for i, name := range slices.Backward(files) {
		added, err := e.add(name)
		if err != nil {
			return nil, fmt.Errorf("rotatefile: %w", err)
		}
		if !added || len(e.parts) < 2 && i > 0 { // the record's copies may be in the file before
			continue
		}
		tail, err := audit.ReadTail(io.NewSectionReader(e, 0, e.size), keys)
		if err != nil || tail.Stream != "" {
			return tail, err
		}
	}
	return audit.ReadTail(io.NewSectionReader(e, 0, e.size), keys)
}

// end is the newest files as one text, joined as Open joins them.
type end struct {
	files []io.Closer
	parts []part // the last file first
	size  int64
}

type part struct {
	io.ReaderAt
	size int64
}

// add puts a file before those that are there. An empty one is passed over.
func (e *end) add(name string) (bool, error) {
	f, err := os.Open(name)
	if err != nil {
		return false, err
	}
	var p part
	if strings.HasSuffix(name, ".gz") {
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		text, err := io.ReadAll(z) // of MaxSize at most
		if err != nil {
			return false, fmt.Errorf("%s: %w", name, err)
		}
		p = part{bytes.NewReader(text), int64(len(text))}
	} else {
		e.files = append(e.files, f)
		info, err := f.Stat()
		if err != nil {
			return false, err
		}
		p = part{f, info.Size()}
	}
	if p.size == 0 {
		return false, nil
	}
	torn, err := ownfile.Torn(p, p.size)
	if err != nil {
		return false, err
	}
	if torn && len(e.parts) > 0 {
		e.parts = append(e.parts, part{strings.NewReader("\n"), 1})
		e.size++
	}
	e.parts = append(e.parts, p)
	e.size += p.size
	return true, nil
}

func (e *end) close() {
	for _, f := range e.files {
		_ = f.Close()
	}
}

// ReadAt implements io.ReaderAt.
func (e *end) ReadAt(p []byte, off int64) (n int, err error) {
	for _, part := range slices.Backward(e.parts) {
		if off >= part.size {
			off -= part.size
			continue
		}
		m := min(int64(len(p)-n), part.size-off)
		read, err := part.ReadAt(p[n:n+int(m)], off)
		n, off = n+read, 0
		if int64(read) < m {
			return n, err
		}
		if n == len(p) {
			return n, nil
		}
	}
	return n, io.EOF
}
