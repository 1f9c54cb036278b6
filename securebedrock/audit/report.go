package audit

import (
	"fmt"
)

// FindingKind says what is wrong with a line.
type FindingKind string

// The kinds of Finding.
const (
	Changed   FindingKind = "changed"   // the line is not what was written there
	Removed   FindingKind = "removed"   // lines are missing before this one
	Inserted  FindingKind = "inserted"  // the line is no record of the chain, or a copy of a record
	Reordered FindingKind = "reordered" // a record that belongs further up
	Truncated FindingKind = "truncated" // the end is missing, or its presence cannot be shown
	Forged    FindingKind = "forged"    // a checkpoint without a valid signature of the signer
	Forked    FindingKind = "forked"    // the log continued in two ways from one record

	// The kinds of notes: events without an attack, which the chain itself records.
	Torn      FindingKind = "torn"      // a process died in this line; the next record vouches for it
	Unwritten FindingKind = "unwritten" // a record could not be written; this line says so
	Repeated  FindingKind = "repeated"  // a record was written again; the chain says so
	Restarted FindingKind = "restarted" // a process continued a chain that another process had not closed
	StillOpen FindingKind = "open"      // the chain is not closed yet
)

// Finding is one thing that Verify found.
type Finding struct {
	Line   int // counted from 1; 0: the whole log
	Kind   FindingKind
	Stream string
	Seq    uint64 // the number of the record, or of the first missing record
	Detail string
}

// String returns the finding as one line.
func (f Finding) String() string {
	if f.Line == 0 {
		return fmt.Sprintf("%s: %s", f.Kind, f.Detail)
	}
	return fmt.Sprintf("line %d: %s: %s", f.Line, f.Kind, f.Detail)
}

// Report is the result of Verify. Findings are faults; notes are not.
type Report struct {
	Lines, Records, Checkpoints, Streams int
	Names                                []string  // the names of the chains, in the order of their first records
	Findings                             []Finding // at most 1000
	Notes                                []Finding // at most 1000
	More                                 int       // the number of findings and notes that are not listed
}

// OK reports whether nothing was changed, removed, inserted, reordered or cut off.
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
