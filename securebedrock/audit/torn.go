package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// ending is the record behind which torn lines stand.
type ending struct {
	stream string // empty: none
	seq    uint64
	mac    string
	prev   string // empty: not known
	line   []byte // nil: not known
	closed bool
}

const (
	resumedPrefix = linePrefix + string(KindResumed) + `",`
	skippedPrefix = linePrefix + string(KindSkipped) + `",`
)

// tornFault says why lines are not what dying processes leave behind a record, or
// "" where they are: the beginning of one record, and then of one resumed record
// for each process that died as it began. Behind a closing checkpoint no record but
// a resumed one can begin.
//
// The record that was being written when the process died may have been begun
// several times, and so may a skipped one in its place.
//
// NUL bytes are a fault, although a file system can leave them in the place of what
// was not synced when the power failed: nobody can tell what stood there.
func tornFault(after ending, lines [][]byte) string {
	var first []byte
	for _, line := range lines {
		resumed := compatible(line, resumedPrefix)
		switch {
		case !begins(line):
			return "is not the beginning of a record"
		case after.closed && !resumed:
			return "stands behind a closing checkpoint"
		case begunAs(line, after.line):
			continue // the record before, as it was written once more
		}
		if !after.place(line) {
			return "is the beginning of a record of another place"
		}
		if resumed || compatible(line, skippedPrefix) {
			continue
		}
		if first != nil && !bytes.HasPrefix(line, first) && !bytes.HasPrefix(first, line) {
			return "is the beginning of another record than the torn line before it"
		}
		first = line
	}
	return ""
}

// place says whether a line can be the beginning of the record behind the ending, or
// of one in the ending's own place.
func (after *ending) place(line []byte) bool {
	at := bytes.LastIndex(line, []byte(chainPrefix))
	if at < 0 || after.stream == "" {
		return true
	}
	link := line[at+len(chainPrefix):]
	return len(link) == 0 || compatible(link, fmt.Sprintf(`"stream":"%s","seq":%d,"prev":"%s",`, after.stream, after.seq+1, after.mac)) ||
		after.prev != "" && compatible(link, fmt.Sprintf(`"stream":"%s","seq":%d,"prev":"%s",`, after.stream, after.seq, after.prev))
}

// begunAs says whether text is a beginning of a whole line, and not all of it.
func begunAs(text, whole []byte) bool {
	return len(text) > 0 && len(text) < len(whole) && bytes.HasPrefix(whole, text)
}

// left says whether text is what a failed write of a record, or of the skipped one
// in its place, can have left. wholes are the whole lines of that place, and skipped
// that such a record is among them: of a record that was given up no whole line is
// needed.
func left(text []byte, wholes [][]byte, skipped bool, before ending) bool {
	for _, whole := range wholes {
		if begunAs(text, whole) {
			return true
		}
	}
	return (skipped || compatible(text, skippedPrefix)) && begins(text) && before.place(text)
}

// compatible says whether one is the beginning of the other.
func compatible(text []byte, want string) bool {
	n := min(len(text), len(want))
	return n > 0 && string(text[:n]) == want[:n]
}

// begins says whether a line is the beginning of a record's line, and not all of it.
func begins(line []byte) bool {
	if !compatible(line, linePrefix) {
		return false
	}
	var v json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(line)).Decode(&v), io.ErrUnexpectedEOF)
}
