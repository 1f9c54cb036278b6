package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
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

// Verify reads a chained log, rotated files joined oldest first, from the
// beginning of its chains, and tells by line what was done to it. The error is
// that of reading alone.
//
// Without a copy of a later checkpoint nobody can tell a log that ends with a
// closing checkpoint from one that had more sessions after it: see
// ChainOptions.OnCheckpoint and Verifier.Expect.
func Verify(r io.Reader, keys Keys) (*Report, error) {
	return (&Verifier{Keys: keys}).Verify(r)
}

// Verifier is Verify with settings.
type Verifier struct {
	Keys Keys
	// Open: the log is still being written to, or its processes are ended without
	// Close, as Lambda does; a chain without its closing checkpoint, and a torn last
	// line, are then notes.
	Open bool
	// Expect are checkpoints that were kept elsewhere, all of them. The records that
	// they speak of and the checkpoints themselves must be there. Two of one place
	// that differ show that the log was cut back and went on from there.
	Expect []Checkpoint
	// After is the end of an earlier part of the log, read by ReadTail and verified
	// already, that this part continues. Expected checkpoints of that part are passed
	// over.
	After *Tail
	// Streams are the names of the log's chains (Chained.Stream). Each must be there,
	// and no other, nor one that neither Expect nor After names. None: the chains
	// that Expect and After name, and where they name none, that of the log's first
	// record.
	Streams []string
	// AnyStream lets the log hold chains that nothing names. One who can write to the
	// log can then insert another log of the same keys unseen.
	AnyStream bool
}

const maxFindings = 1000

// Verify is Verify with the Verifier's settings.
func (v *Verifier) Verify(r io.Reader) (*Report, error) {
	s := newScan(v)
	in := bufio.NewReaderSize(r, 64<<10)
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		if err == bufio.ErrBufferFull || len(line) > 0 {
			if len(line) <= maxLine { // of a longer one the beginning will do to refuse it
				line = append(line, part...)
			}
			part = line
		}
		switch err {
		case bufio.ErrBufferFull:
		case nil:
			s.line(bytes.TrimSuffix(part, []byte("\n")), true)
			line = line[:0]
		case io.EOF:
			if len(part) > 0 {
				s.line(part, false)
			}
			return s.end(), nil
		default:
			return nil, fmt.Errorf("audit: the log cannot be read: %w", err)
		}
	}
}

// scan is a Verify under way.
type scan struct {
	v       *Verifier
	keys    map[string]hash.Hash
	report  Report
	streams map[string]*chainState
	order   []*chainState
	named   map[string]bool // nil: any
	expect  expectations
	last    []byte      // the record before
	recent  *chainState // its chain
	damaged []damage    // lines since the last record
	rest    hash.Hash   // over them, joined by newlines
	restLen int
	wholly  bool // the last line had its newline
}

type place struct {
	stream string
	seq    uint64
}

type damage struct {
	line  int
	fault string
	text  []byte // nil: too much to keep
}

type chainState struct {
	name   string
	next   uint64 // the number that comes
	mac    string // of the record before; empty: not known
	prev   string // that record's; empty: not known
	kind   Kind   // that record's
	line   int
	closed bool
	gaps   []gap
	rivals []rival // for that record's place: of its failed writes
	strays []int   // lines that they left
	copies map[uint64]string
}

// rival is one of two records of one number, of which the next record tells which
// is in the chain.
type rival struct {
	mac  string
	kind Kind
}

// gap is a range of numbers that did not come in their place.
type gap struct {
	from, to uint64
	line     int
}

// maxCopies is the number of records between one and its copy, where the sink
// repeats: more than a request of CloudWatch Logs holds.
const maxCopies = 20_000

func newScan(v *Verifier) *scan {
	s := &scan{v: v, keys: v.Keys.byID(), streams: map[string]*chainState{}, rest: sha256.New(), wholly: true}
	s.expected()
	if t := v.After; t != nil && t.Stream != "" {
		c := s.chain(t.Stream)
		c.next, c.mac, c.closed = t.Seq+1, t.MAC, t.Closed
	}
	return s
}

// chain is the state of a chain, a new one's too.
func (s *scan) chain(name string) *chainState {
	c := s.streams[name]
	if c == nil {
		c = &chainState{name: name, next: 1}
		s.streams[name] = c
		s.order = append(s.order, c)
		s.report.Streams++
		if len(s.report.Names) < maxFindings {
			s.report.Names = append(s.report.Names, name)
		}
	}
	return c
}

func (s *scan) find(f Finding) {
	if len(s.report.Findings) < maxFindings {
		s.report.Findings = append(s.report.Findings, f)
	} else {
		s.report.More++
	}
}

func (s *scan) note(f Finding) {
	if len(s.report.Notes) < maxFindings {
		s.report.Notes = append(s.report.Notes, f)
	} else {
		s.report.More++
	}
}

func (s *scan) line(line []byte, whole bool) {
	s.report.Lines++
	n := s.report.Lines
	s.wholly = whole
	p, fault := parseLine(line, s.keys)
	if fault != "" {
		if len(s.damaged) > 0 {
			s.rest.Write([]byte("\n"))
			s.restLen++
		}
		s.rest.Write(line)
		s.restLen += len(line)
		if len(s.damaged) < maxFindings {
			d := damage{line: n, fault: fault}
			if s.restLen <= 4*maxLine {
				d.text = bytes.Clone(line)
			}
			s.damaged = append(s.damaged, d)
		} else {
			s.report.More++
		}
		return
	}
	s.record(n, &p)
}

// record takes a line whose MAC is right: it was written as it stands, and it
// remains to be seen whether it stands where it was written.
func (s *scan) record(n int, p *parsed) {
	s.report.Records++
	c := s.streams[p.link.Stream]
	if c == nil {
		c = s.chain(p.link.Stream)
		s.foreign(n, p)
	}
	defer func() {
		s.last, s.recent = append(s.last[:0], p.raw...), c
	}()
	s.expect.met(n, p)
	if p.link.Seq < c.next {
		s.late(n, c, p)
		return
	}
	if p.kind == KindResumed {
		if r := p.resumed(); r.TornBytes > 0 && !s.vouched(r) {
			s.find(Finding{Line: n, Kind: Removed, Stream: c.name, Seq: p.link.Seq, Detail: "the torn line that it speaks of is not before it"})
		}
	}
	s.leave(n, c, p)
	s.between(n, c, p)
	c.next, c.mac, c.prev, c.kind, c.line = p.link.Seq+1, p.mac, p.link.Prev, p.kind, n
	if p.link.Repeats {
		if c.copies == nil {
			c.copies = map[uint64]string{}
		}
		c.copies[p.link.Seq] = p.mac
		delete(c.copies, p.link.Seq-maxCopies)
	}

	wasClosed := c.closed
	c.closed = false
	switch p.kind {
	case KindCheckpoint:
		s.checkpoint(n, c, p)
	case KindResumed:
		if p.link.Seq > 1 && !wasClosed {
			s.note(Finding{Line: n, Kind: Restarted, Stream: c.name, Seq: p.link.Seq,
				Detail: "the process before was not closed; only checkpoints kept elsewhere show that nothing was cut off here"})
		}
	}
}

// late is a record whose number was passed already.
func (s *scan) late(n int, c *chainState, p *parsed) {
	seq := p.link.Seq
	if c.copies[seq] == p.mac { // it says itself that its sink repeats
		s.resolve(nil, nil)
		s.note(Finding{Line: n, Kind: Repeated, Stream: c.name, Seq: seq, Detail: fmt.Sprintf("record %d stands further up already; its sink may store one more than once", seq)})
		return
	}
	if s.again(n, c, p) {
		return
	}
	s.resolve(nil, nil)
	for i, g := range c.gaps {
		if seq < g.from || seq > g.to {
			continue
		}
		rest := []gap{}
		if g.from < seq {
			rest = append(rest, gap{g.from, seq - 1, g.line})
		}
		if seq < g.to {
			rest = append(rest, gap{seq + 1, g.to, g.line})
		}
		c.gaps = append(append(append([]gap{}, c.gaps[:i]...), rest...), c.gaps[i+1:]...)
		s.find(Finding{Line: n, Kind: Reordered, Stream: c.name, Seq: seq, Detail: fmt.Sprintf("record %d belongs before line %d", seq, g.line)})
		return
	}
	s.find(Finding{Line: n, Kind: Inserted, Stream: c.name, Seq: seq, Detail: fmt.Sprintf("record %d stands further up already", seq)})
}

// between looks at what stands, or is missing, between the record before and this
// one.
func (s *scan) between(n int, c *chainState, p *parsed) {
	missing := p.link.Seq - c.next
	damaged := len(s.damaged)
	switch {
	case missing == 0:
		if c.mac != p.link.Prev {
			s.find(Finding{Line: n, Kind: Changed, Stream: c.name, Seq: p.link.Seq, Detail: "it does not follow the record before it"})
		}
		s.resolve(c, p)
		return
	case uint64(p.link.Unwritten) >= missing && uint64(damaged) <= missing && c.vouched(&p.link):
		// What is left of a record whose write failed.
		for _, d := range s.damaged {
			s.note(Finding{Line: d.line, Kind: Unwritten, Stream: c.name, Detail: "a write failed in this line, as the record after it says"})
		}
		s.forget()
		s.note(Finding{Line: n, Kind: Unwritten, Stream: c.name, Seq: c.next,
			Detail: fmt.Sprintf("%d records before it could not be written", missing)})
		return
	case damaged > 0 && uint64(damaged) <= missing:
		// The damaged lines are the missing records.
		for _, d := range s.damaged {
			s.find(Finding{Line: d.line, Kind: Changed, Stream: c.name, Detail: "the line " + d.fault})
		}
		s.forget()
		missing -= uint64(damaged)
	default:
		s.resolve(c, p)
	}
	if missing == 0 {
		return
	}
	first := p.link.Seq - missing
	c.gaps = append(c.gaps, gap{first, p.link.Seq - 1, n})
}

// vouched says that a record which tells of unwritten ones before it follows the
// record seen last, or one of those.
func (c *chainState) vouched(l *Link) bool {
	written := l.Seq - 1 - uint64(l.Unwritten)
	return c.next-1 > written || c.next-1 == written && c.mac == l.Last
}

// resolve decides about damaged lines that take no record's place. p is the record
// of chain c that comes after them, where it comes in its place.
func (s *scan) resolve(c *chainState, p *parsed) {
	if len(s.damaged) == 0 {
		return
	}
	why := ""
	if p != nil && p.kind == KindResumed && s.vouched(p.resumed()) {
		if why = s.tornFault(c); why == "" {
			for _, d := range s.damaged {
				s.note(Finding{Line: d.line, Kind: Torn, Stream: c.name, Detail: "a process died in this line, as the record after it says"})
			}
			s.forget()
			return
		}
		why = ", and " + why + ", though the record after it vouches for it"
	}
	for _, d := range s.damaged {
		if p != nil && s.stray(c, p, d.text) {
			c.strays = append(c.strays, d.line)
			continue
		}
		s.find(Finding{Line: d.line, Kind: Inserted, Detail: "the line " + d.fault + why})
	}
	s.forget()
}

// tornFault is that of the damaged lines behind chain c's last record.
func (s *scan) tornFault(c *chainState) string {
	after := ending{stream: c.name, seq: c.next - 1, mac: c.mac, prev: c.prev, closed: c.closed}
	if c == s.recent {
		after.line = s.last
	}
	if c.next == 1 {
		after.stream = ""
	}
	lines := make([][]byte, len(s.damaged))
	for i, d := range s.damaged {
		lines[i] = d.text
	}
	return tornFault(after, lines)
}

// vouched says that the damaged lines are those that a record speaks of.
func (s *scan) vouched(r Resumed) bool {
	return r.TornBytes == s.restLen && r.TornSHA256 == hex.EncodeToString(s.rest.Sum(nil))
}

func (s *scan) forget() {
	s.damaged = s.damaged[:0]
	s.rest.Reset()
	s.restLen = 0
}

func (s *scan) checkpoint(n int, c *chainState, p *parsed) {
	s.report.Checkpoints++
	cp, err := p.checkpoint()
	forged := func(detail string) {
		s.find(Finding{Line: n, Kind: Forged, Stream: c.name, Seq: p.link.Seq, Detail: detail})
	}
	switch {
	case err != nil:
		forged("the checkpoint cannot be read")
	case cp.Stream != c.name || cp.Seq != p.link.Seq-1 || cp.MAC != p.link.Prev:
		forged("the checkpoint is of another place")
	case s.v.Keys.signer(cp.Signer) == nil:
		forged(fmt.Sprintf("the signer %q is not among those given", word(cp.Signer)))
	case !cp.Verify(s.v.Keys.signer(cp.Signer)):
		forged("the signature is not the signer's")
	default:
		c.closed = cp.Closing
	}
}

func (s *scan) end() *Report {
	switch live := s.v.Open && !s.wholly; {
	case len(s.damaged) == 0 && live:
		s.note(Finding{Line: s.report.Lines, Kind: Torn, Detail: "the last line has no newline yet"})
	case len(s.damaged) == 0 && !s.wholly:
		s.find(Finding{Line: s.report.Lines, Kind: Truncated, Detail: "the last line has lost its newline"})
	case live && s.recent != nil && s.tornFault(s.recent) == "":
		for _, d := range s.damaged {
			s.note(Finding{Line: d.line, Kind: Torn, Stream: s.recent.name, Detail: "the line is not whole yet, or a process died in it"})
		}
	default:
		for _, d := range s.damaged {
			kind := Changed
			if d.line == s.report.Lines && !s.wholly {
				kind = Truncated
			}
			s.find(Finding{Line: d.line, Kind: kind, Detail: "the line " + d.fault})
		}
	}
	if s.report.Records == 0 {
		s.find(Finding{Kind: Truncated, Detail: "there is no record"})
	}
	for _, c := range s.order {
		s.leave(0, c, nil)
		for _, g := range c.gaps {
			s.find(Finding{Line: g.line, Kind: Removed, Stream: c.name, Seq: g.from, Detail: fmt.Sprintf("%d records from number %d on are missing before it", g.to-g.from+1, g.from)})
		}
		switch {
		case c.closed:
		case s.v.Open:
			s.note(Finding{Line: c.line, Kind: StillOpen, Stream: c.name, Seq: c.next - 1, Detail: "the chain is not closed after it"})
		default:
			s.find(Finding{Line: c.line, Kind: Truncated, Stream: c.name, Seq: c.next - 1, Detail: "the chain ends here without its closing checkpoint"})
		}
	}
	for _, name := range s.v.Streams {
		if s.streams[name] == nil {
			s.find(Finding{Kind: Truncated, Stream: name, Detail: fmt.Sprintf("chain %s, which the log must hold, is not there", word(name))})
		}
	}
	s.expect.end(s.find)
	return &s.report
}
