package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Tail is the end of a chained log, for ChainOptions.Resume.
type Tail struct {
	Stream string // empty: there is no record yet
	Seq    uint64
	MAC    string
	Closed bool // the last record is a closing checkpoint
	// TornBytes and TornSHA256 are of what stands behind the last whole record: the
	// line at which a process died. It stays; the chain's next record vouches for it.
	TornBytes  int
	TornSHA256 string
}

// ErrTampered is the error where a log's end is not one that a dying process leaves.
var ErrTampered = errors.New("audit: the log's end is damaged")

const maxLine = 8 << 20 // bytes of one record

// ReadTail reads the end of a chained log and checks the last record with keys.
// An empty log gives an empty Tail. A damaged last record is ErrTampered and not
// continued: keep the file, Verify it, and begin another.
func ReadTail(log io.ReadSeeker, keys Keys) (*Tail, error) {
	end, err := readEnd(log)
	if err != nil {
		return nil, err
	}
	// A dead process leaves fragments; the newline before each but the first was
	// written with the next process's first record, which may be torn as well.
	lines := bytes.Split(end, []byte("\n"))
	whole := len(lines) - 1 // lines[whole:] are the fragments
	fragments := lines[whole]
	if looksWhole(fragments) {
		whole, fragments = whole+1, nil
	}
	for range 16 {
		if whole == 0 || looksWhole(lines[whole-1]) || len(fragments) == 0 {
			break
		}
		whole--
		fragments = bytes.Join(lines[whole:], []byte("\n"))
	}
	t := new(Tail)
	if len(fragments) > 0 {
		h := sha256.Sum256(fragments)
		t.TornBytes, t.TornSHA256 = len(fragments), hex.EncodeToString(h[:])
	}
	if whole == 0 || whole == 1 && len(lines[0]) == 0 {
		return t, nil
	}
	rec, fault := parseLine(lines[whole-1], keys.byID())
	if fault != "" {
		return nil, fmt.Errorf("%w: its last line %s; keep the file, verify it, and begin another", ErrTampered, fault)
	}
	t.Stream, t.Seq, t.MAC = rec.link.Stream, rec.link.Seq, rec.mac
	if rec.kind == KindCheckpoint {
		cp, err := rec.checkpoint()
		t.Closed = err == nil && cp.Closing
	}
	return t, nil
}

func looksWhole(line []byte) bool {
	return len(line) > macLength && bytes.HasPrefix(line, []byte(linePrefix)) && bytes.HasSuffix(line, []byte(macSuffix)) &&
		bytes.HasPrefix(line[len(line)-macLength:], []byte(macPrefix))
}

// readEnd reads enough of the log's end to hold a whole line, and what is behind it.
func readEnd(log io.ReadSeeker) ([]byte, error) {
	size, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	for n := int64(64 << 10); ; n *= 4 {
		start := max(0, size-n)
		if _, err := log.Seek(start, io.SeekStart); err != nil {
			return nil, err
		}
		end, err := io.ReadAll(io.LimitReader(log, size-start))
		if err != nil {
			return nil, err
		}
		if start == 0 {
			return end, nil
		}
		// The first line is cut by the window: a whole one must come after it.
		if i := bytes.IndexByte(end, '\n'); i >= 0 {
			for _, line := range bytes.Split(end[i+1:], []byte("\n")) {
				if looksWhole(line) {
					return end[i+1:], nil
				}
			}
		}
		if n > 4*maxLine {
			return nil, fmt.Errorf("%w: no record in its last %d bytes", ErrTampered, n)
		}
	}
}
