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
	stream string // empty: no record
	seq    uint64
	mac    string
	prev   string // empty: unknown
	line   []byte // nil: unknown
	closed bool
}

const (
	resumedPrefix = linePrefix + string(KindResumed) + `",`
	skippedPrefix = linePrefix + string(KindSkipped) + `",`
)

// tornFault returns why lines are not what dying processes leave behind a record,
// or "" if they are. Dying processes leave the beginning of one record, and then
// the beginning of one resumed record for each process that died as it began. Only
// a resumed record can begin behind a closing checkpoint.
//
// The record that was being written when the process died may have been begun
// several times, and so may a skipped record in its place.
//
// NUL bytes are a fault. A file system can leave them when the power fails, in
// place of data that was not synced. Nobody can tell what stood there.
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
			continue // the record before, written once more
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

// place reports whether a line can be the beginning of the record behind the
// ending, or of a record in the ending's own place.
func (after *ending) place(line []byte) bool {
	at := bytes.LastIndex(line, []byte(chainPrefix))
	if at < 0 || after.stream == "" {
		return true
	}
	link := line[at+len(chainPrefix):]
	return len(link) == 0 || compatible(link, fmt.Sprintf(`"stream":"%s","seq":%d,"prev":"%s",`, after.stream, after.seq+1, after.mac)) ||
		after.prev != "" && compatible(link, fmt.Sprintf(`"stream":"%s","seq":%d,"prev":"%s",`, after.stream, after.seq, after.prev))
}

// begunAs reports whether text is a beginning of a whole line, and not all of it.
func begunAs(text, whole []byte) bool {
	return len(text) > 0 && len(text) < len(whole) && bytes.HasPrefix(whole, text)
}

// left reports whether a failed write of a record, or of the skipped record in its
// place, can have left text. wholes are the whole lines of that place. skipped
// reports whether a skipped record is among them: a record that was given up needs
// no whole line.
func left(text []byte, wholes [][]byte, skipped bool, before ending) bool {
	for _, whole := range wholes {
		if begunAs(text, whole) {
			return true
		}
	}
	return (skipped || compatible(text, skippedPrefix)) && begins(text) && before.place(text)
}

// compatible reports whether one of the two is the beginning of the other.
func compatible(text []byte, want string) bool {
	n := min(len(text), len(want))
	return n > 0 && string(text[:n]) == want[:n]
}

// begins reports whether a line is the beginning of a record's line, and not all of
// it.
func begins(line []byte) bool {
	if !compatible(line, linePrefix) {
		return false
	}
	var v json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(line)).Decode(&v), io.ErrUnexpectedEOF)
}
