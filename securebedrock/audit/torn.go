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

const resumedPrefix = linePrefix + string(KindResumed) + `",`

// tornFault says why lines are not what dying processes leave behind a record, or
// "" where they are: the beginning of one record, and then of one resumed record
// for each process that died as it began. Behind a closing checkpoint no record but
// a resumed one can begin.
//
// NUL bytes are a fault, although a file system can leave them in the place of what
// was not synced when the power failed: nobody can tell what stood there.
func tornFault(after ending, lines [][]byte) string {
	for i, line := range lines {
		resumed := compatible(line, resumedPrefix)
		switch {
		case !begins(line):
			return "is not the beginning of a record"
		case after.closed && !resumed:
			return "stands behind a closing checkpoint"
		case len(after.line) > 0 && len(line) < len(after.line) && bytes.HasPrefix(after.line, line):
			continue // the record before, as it was written once more
		case i > 0 && !resumed && !bytes.HasPrefix(line, lines[0]) && !bytes.HasPrefix(lines[0], line):
			return "is the beginning of another record than the torn line before it"
		}
		at := bytes.LastIndex(line, []byte(chainPrefix))
		if at < 0 || after.stream == "" {
			continue
		}
		link := line[at+len(chainPrefix):]
		next := compatible(link, fmt.Sprintf(`"stream":"%s","seq":%d,"prev":"%s",`, after.stream, after.seq+1, after.mac))
		same := after.prev != "" && compatible(link, fmt.Sprintf(`"stream":"%s","seq":%d,"prev":"%s",`, after.stream, after.seq, after.prev))
		if !next && !same {
			return "is the beginning of a record of another place"
		}
	}
	return ""
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
