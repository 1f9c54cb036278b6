package audit

import (
	"crypto/sha256"
	"fmt"
	"hash"
)

// scan is a Verify under way.
type scan struct {
	v       *Verifier
	keys    map[string]hash.Hash
	report  *Report
	streams map[string]*chainState
	order   []*chainState
	expect  *expectations
	last    []byte       // the record before
	recent  *chainState  // its chain
	damaged damagedLines // since the last record
	wholly  bool         // the last line had its newline
}

func newScan(v *Verifier) *scan {
	report := new(Report)
	s := &scan{v: v, keys: v.Keys.byID(), report: report, streams: map[string]*chainState{}, expect: newExpectations(v, report),
		damaged: damagedLines{sum: sha256.New()}, wholly: true}
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

func (s *scan) find(f Finding) { s.report.find(f) }
func (s *scan) note(f Finding) { s.report.note(f) }

func (s *scan) line(line []byte, whole bool) {
	s.report.Lines++
	n := s.report.Lines
	s.wholly = whole
	p, fault := parseLine(line, s.keys)
	if fault != "" {
		if !s.damaged.add(n, line, fault) {
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
		s.expect.foreign(n, p)
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
		if r := p.resumed(); r.TornBytes > 0 && !s.damaged.are(r) {
			s.find(Finding{Line: n, Kind: Removed, Stream: c.name, Seq: p.link.Seq, Detail: "the torn line that it speaks of is not before it"})
		}
	}
	c.leave(p, s.v.Open, s.report)
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
	if known, ok := c.again(p); ok { // the next record tells of it
		if len(s.damaged.lines) > 0 {
			s.resolve(c, p)
		}
		c.strays = append(c.strays, n)
		if !known {
			c.rivals = append(c.rivals, rival{p.mac, p.kind})
		}
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
	damaged := len(s.damaged.lines)
	switch {
	case missing == 0:
		if c.mac != p.link.Prev {
			s.find(Finding{Line: n, Kind: Changed, Stream: c.name, Seq: p.link.Seq, Detail: "it does not follow the record before it"})
		}
		s.resolve(c, p)
		return
	case uint64(p.link.Unwritten) >= missing && uint64(damaged) <= missing && c.vouched(&p.link):
		// What is left of a record whose write failed.
		for _, d := range s.damaged.lines {
			s.note(Finding{Line: d.line, Kind: Unwritten, Stream: c.name, Detail: "a write failed in this line, as the record after it says"})
		}
		s.damaged.forget()
		s.note(Finding{Line: n, Kind: Unwritten, Stream: c.name, Seq: c.next,
			Detail: fmt.Sprintf("%d records before it could not be written", missing)})
		return
	case damaged > 0 && uint64(damaged) <= missing:
		// The damaged lines are the missing records.
		for _, d := range s.damaged.lines {
			s.find(Finding{Line: d.line, Kind: Changed, Stream: c.name, Detail: "the line " + d.fault})
		}
		s.damaged.forget()
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

// resolve decides about damaged lines that take no record's place. p is the record
// of chain c that comes after them, where it comes in its place.
func (s *scan) resolve(c *chainState, p *parsed) {
	if len(s.damaged.lines) == 0 {
		return
	}
	why := ""
	if p != nil && p.kind == KindResumed && s.damaged.are(p.resumed()) {
		if why = s.tornFault(c); why == "" {
			for _, d := range s.damaged.lines {
				s.note(Finding{Line: d.line, Kind: Torn, Stream: c.name, Detail: "a process died in this line, as the record after it says"})
			}
			s.damaged.forget()
			return
		}
		why = ", and " + why + ", though the record after it vouches for it"
	}
	for _, d := range s.damaged.lines {
		if p != nil && c.stray(p, s.lastOf(c), d.text) {
			c.strays = append(c.strays, d.line)
			continue
		}
		s.find(Finding{Line: d.line, Kind: Inserted, Detail: "the line " + d.fault + why})
	}
	s.damaged.forget()
}

// tornFault is that of the damaged lines behind chain c's last record.
func (s *scan) tornFault(c *chainState) string {
	after := ending{stream: c.name, seq: c.next - 1, mac: c.mac, prev: c.prev, line: s.lastOf(c), closed: c.closed}
	if c.next == 1 {
		after.stream = ""
	}
	return tornFault(after, s.damaged.texts())
}

// lastOf is the log's last record where c has written it, else nil.
func (s *scan) lastOf(c *chainState) []byte {
	if c == s.recent {
		return s.last
	}
	return nil
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
	case len(s.damaged.lines) == 0 && live:
		s.note(Finding{Line: s.report.Lines, Kind: Torn, Detail: "the last line has no newline yet"})
	case len(s.damaged.lines) == 0 && !s.wholly:
		s.find(Finding{Line: s.report.Lines, Kind: Truncated, Detail: "the last line has lost its newline"})
	case live && s.recent != nil && s.tornFault(s.recent) == "":
		for _, d := range s.damaged.lines {
			s.note(Finding{Line: d.line, Kind: Torn, Stream: s.recent.name, Detail: "the line is not whole yet, or a process died in it"})
		}
	default:
		for _, d := range s.damaged.lines {
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
		c.leave(nil, s.v.Open, s.report)
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
	s.expect.end()
	return s.report
}
