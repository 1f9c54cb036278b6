package audit

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/securebedrock/securebedrock-go/internal/ownfile"
)

const (
	checkpointPrefix = `{"stream":"`
	// maxCheckpoint bounds a line of kept checkpoints; Chain's have about 400 bytes.
	maxCheckpoint = 4 << 10
	// maxUnkept bounds the checkpoints that wait for a file which cannot be written.
	// A later checkpoint says all that an earlier one does.
	maxUnkept = 64
)

// ReadCheckpoints reads the checkpoints that Open keeps in a file, one line of
// JSON each, for Verifier.Expect. It passes over a line at which a process died.
// The signatures are for Verify to check.
func ReadCheckpoints(r io.Reader) ([]Checkpoint, error) {
	var all []Checkpoint
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxCheckpoint)
	n := 0
	for lines.Scan() {
		n++
		line := lines.Bytes()
		if len(line) == 0 {
			continue
		}
		var cp Checkpoint
		d := json.NewDecoder(bytes.NewReader(line))
		d.DisallowUnknownFields()
		err := d.Decode(&cp)
		switch {
		case err == nil && cp.Stream != "" && d.InputOffset() == int64(len(line)):
			all = append(all, cp)
		case errors.Is(err, io.ErrUnexpectedEOF) && beginsLike(line, checkpointPrefix):
			// A process died here.
		default:
			return nil, fmt.Errorf("%w: line %d of the kept checkpoints is not a checkpoint", ErrTampered, n)
		}
	}
	switch err := lines.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return nil, fmt.Errorf("%w: line %d of the kept checkpoints has more than %d bytes", ErrTampered, n+1, maxCheckpoint)
	case err != nil:
		return nil, fmt.Errorf("audit: the kept checkpoints cannot be read: %w", err)
	}
	return all, nil
}

// beginsLike says that one of the two begins with the other.
func beginsLike(line []byte, prefix string) bool {
	n := min(len(line), len(prefix))
	return string(line[:n]) == prefix[:n]
}

// keeper appends checkpoints to a file.
type keeper struct {
	mu     sync.Mutex
	path   string
	f      *os.File
	size   int64
	torn   bool // the file ends in mid-line
	unkept []Checkpoint
}

// openKeeper opens path, creates it for its owner alone, and returns the
// checkpoints that it holds.
func openKeeper(path string) (*keeper, []Checkpoint, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, nil, fmt.Errorf("audit: %w", err)
	}
	fail := func(err error) (*keeper, []Checkpoint, error) {
		return nil, nil, errors.Join(fmt.Errorf("audit: %s: %w", path, err), f.Close())
	}
	size, err := ownfile.Check(f)
	if err != nil {
		return fail(err)
	}
	if err := ownfile.Lock(f); err != nil {
		return fail(fmt.Errorf("another log keeps its checkpoints there: %w", err))
	}
	kept, err := ReadCheckpoints(io.NewSectionReader(f, 0, size))
	if err != nil {
		return fail(err)
	}
	torn, err := ownfile.Torn(f, size)
	if err != nil {
		return fail(err)
	}
	return &keeper{path: path, f: f, size: size, torn: torn}, kept, nil
}

// keep stores a checkpoint, after those that could not be stored before. The
// error is that of the file.
func (k *keeper) keep(cp ...Checkpoint) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.unkept = append(k.unkept, cp...)
	if over := len(k.unkept) - maxUnkept; over > 0 {
		k.unkept = k.unkept[over:]
	}
	if len(k.unkept) == 0 {
		return nil
	}
	if k.f == nil {
		return ErrClosed
	}
	var text []byte
	if k.torn {
		text = append(text, '\n')
	}
	for _, cp := range k.unkept {
		line, err := json.Marshal(cp)
		if err != nil {
			return err
		}
		text = append(append(text, line...), '\n')
	}
	_, err := k.f.Write(text)
	if err == nil {
		err = k.f.Sync()
	}
	if err != nil {
		if terr := k.f.Truncate(k.size); terr != nil {
			k.torn = true // the next checkpoint begins on a line of its own
		}
		return fmt.Errorf("audit: %d checkpoints could not be kept in %s: %w", len(k.unkept), k.path, err)
	}
	k.size, k.torn, k.unkept = k.size+int64(len(text)), false, nil
	return nil
}

func (k *keeper) close() error {
	err := k.keep() // once more
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.f == nil {
		return nil
	}
	err = errors.Join(err, k.f.Close())
	k.f = nil
	return err
}
