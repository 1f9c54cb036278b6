package audit

import (
	"fmt"
)

// FindingKind says what is wrong with a line.
type FindingKind string

// The kinds of Finding.
const (
	Changed   FindingKind = "changed"   // not what was written there
	Removed   FindingKind = "removed"   // lines are missing before this one
	Inserted  FindingKind = "inserted"  // no record of the chain, or a copy of one
	Reordered FindingKind = "reordered" // a record that belongs further up
	Truncated FindingKind = "truncated" // the end is missing, or cannot be shown to be there
	Forged    FindingKind = "forged"    // a checkpoint whose signature is not the signer's
	Forked    FindingKind = "forked"    // the log went on in two ways from one record

	// Notes: what happens without anybody's ill will, and is told by the chain.
	Torn      FindingKind = "torn"      // a process died in this line; the next record vouches for it
	Unwritten FindingKind = "unwritten" // a record could not be written, as this line says
	Repeated  FindingKind = "repeated"  // a record was written again, as the chain says
	Restarted FindingKind = "restarted" // a process went on where another had not closed the chain
	StillOpen FindingKind = "open"      // the chain is not closed yet
)

// Finding is one thing that Verify found.
type Finding struct {
	Line   int // from 1 on; 0: the whole log
	Kind   FindingKind
	Stream string
	Seq    uint64 // the record's, or the first missing one's
	Detail string
}

// String is the finding in one line.
func (f Finding) String() string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s", f.Kind, f.Detail)
	}
	return fmt.Sprintf("line %d: %s: %s", f.Line, f.Kind, f.Detail)
}

// Report is what Verify found.
type Report struct {
	Lines, Records, Checkpoints, Streams int
	Names                                []string  // of the chains, in the order of their first records
	Findings                             []Finding // at most 1000
	Notes                                []Finding // at most 1000
	More                                 int       // findings and notes that are not listed
}

// OK says that nothing was changed, removed, inserted, reordered or cut off.
func (r *Report) OK() bool { return len(r.Findings) == 0 }

const maxFindings = 1000

// find adds a finding.
func (r *Report) find(f Finding) {
	if len(r.Findings) < maxFindings {
		r.Findings = append(r.Findings, f)
	} else {
		r.More++
	}
}

// note adds a note.
func (r *Report) note(f Finding) {
	if len(r.Notes) < maxFindings {
		r.Notes = append(r.Notes, f)
	} else {
		r.More++
	}
}
