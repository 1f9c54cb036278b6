package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
)

// ReadTail reads the end of a chained log and checks the last record with keys. An
// empty log gives an empty Tail. Only the beginnings of records that dying
// processes left may stand after the last record. A damaged last record, or
// anything else after it, is ErrTampered and is not continued: keep the file,
// Verify it, and begin another file. NUL bytes are such a case; a power failure can
// leave them if records were not synced.
func ReadTail(log io.ReadSeeker, keys Keys) (*Tail, error) {
	end, err := readEnd(log)
	if err != nil {
		return nil, err
	}
	tampered := func(what string) error {
		return fmt.Errorf("%w: %s; keep the file, verify it, and begin another", ErrTampered, what)
	}
	// A dead process leaves fragments; the newline before each but the first was
	// written with the next process's first record, which may be torn as well, down
	// to that newline.
	lines := bytes.Split(end, []byte("\n"))
	if len(lines[len(lines)-1]) == 0 {
		lines = lines[:len(lines)-1]
	}
	whole := len(lines) // lines[whole:] are the fragments
	for whole > 0 && !looksWhole(lines[whole-1]) {
		whole--
	}
	fragments := lines[whole:]
	t := new(Tail)
	var after ending
	if whole > 0 {
		rec, fault := parseLine(lines[whole-1], keys.byID())
		if fault != "" {
			return nil, tampered("its last line " + fault)
		}
		t.Stream, t.Seq, t.MAC = rec.link.Stream, rec.link.Seq, rec.mac
		if rec.kind == KindCheckpoint {
			cp, err := rec.checkpoint()
			t.Closed = err == nil && cp.Closing
		}
		t.Again = written(lines[:whole-1], &rec, keys)
		if later(lines[:whole-1], &rec, keys) {
			return nil, tampered("its last line belongs further up")
		}
		after = ending{rec.link.Stream, rec.link.Seq, rec.mac, rec.link.Prev, rec.raw, t.Closed}
	}
	if len(fragments) == 0 {
		return t, nil
	}
	if fault := tornFault(after, fragments); fault != "" {
		return nil, tampered("a line behind its last record " + fault)
	}
	torn := bytes.Join(fragments, []byte("\n"))
	h := sha256.Sum256(torn)
	t.TornBytes, t.TornSHA256 = len(torn), hex.EncodeToString(h[:])
	return t, nil
}

// written counts the fragments that failed writes of the last record left before
// it.
func written(before [][]byte, last *parsed, keys Keys) (again int) {
	group, skipped := [][]byte{last.raw}, last.kind == KindSkipped
	place := ending{stream: last.link.Stream, seq: last.link.Seq - 1, mac: last.link.Prev}
	if last.link.Prev == "" {
		place.stream = ""
	}
	macs := keys.byID()
	for _, line := range slices.Backward(before) {
		if !bytes.Equal(line, last.raw) && !left(line, group, skipped, place) {
			p, fault := parseLine(line, macs)
			if fault != "" || p.link.Stream != last.link.Stream || p.link.Seq != last.link.Seq {
				break
			}
			group, skipped = append(group, line), skipped || p.kind == KindSkipped
		}
		again++
	}
	return again
}

// later reports whether a later record of the chain stands before the last line.
func later(before [][]byte, last *parsed, keys Keys) bool {
	macs := keys.byID()
	return slices.ContainsFunc(before, func(line []byte) bool {
		p, fault := parseLine(line, macs)
		return fault == "" && p.link.Stream == last.link.Stream && p.link.Seq > last.link.Seq
	})
}

// readEnd reads enough of the log's end to hold a whole line, and what follows that
// line.
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
		// The first line is cut by the window: a whole one must come after it, and
		// another before that one, between which its copies are.
		var last []byte
		i := bytes.IndexByte(end, '\n')
		if i >= 0 {
			lines := bytes.Split(end[i+1:], []byte("\n"))
			for _, line := range slices.Backward(lines) {
				switch {
				case !looksWhole(line):
				case last == nil:
					last = line
				case !bytes.Equal(last, line):
					return end[i+1:], nil
				}
			}
		}
		if n > 4*maxLine {
			if last != nil {
				return end[i+1:], nil
			}
			return nil, fmt.Errorf("%w: no record in its last %d bytes", ErrTampered, n)
		}
	}
}
