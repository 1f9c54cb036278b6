package audit

import (
	"fmt"
)

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

// vouched says that a record which tells of unwritten ones before it follows the
// record seen last, or one of those.
func (c *chainState) vouched(l *Link) bool {
	written := l.Seq - 1 - uint64(l.Unwritten)
	return c.next-1 > written || c.next-1 == written && c.mac == l.Last
}

// stray reports whether a damaged line can be left by a failed write of p, which comes
// in its place or once more. last is the log's last record where it is of this chain.
func (c *chainState) stray(p *parsed, last, text []byte) bool {
	wholes, skipped := [][]byte{p.raw}, p.kind == KindSkipped
	if p.link.Seq == c.next-1 { // once more
		if last != nil {
			wholes = append(wholes, last)
		}
		skipped = skipped || c.kind == KindSkipped
		for _, r := range c.rivals {
			skipped = skipped || r.kind == KindSkipped
		}
	}
	before := ending{stream: c.name, seq: p.link.Seq - 1, mac: p.link.Prev}
	if p.link.Prev == "" {
		before.stream = ""
	}
	return left(text, wholes, skipped, before)
}

// again reports whether p has the last record's number as failed writes leave one: p
// is a known record's copy, or one of the two is a KindSkipped in the other's place.
func (c *chainState) again(p *parsed) (known, ok bool) {
	if p.link.Seq != c.next-1 || c.line == 0 || p.link.Prev != c.prev {
		return false, false
	}
	known = p.mac == c.mac
	for _, r := range c.rivals {
		known = known || r.mac == p.mac
	}
	return known, known || p.kind == KindSkipped || c.kind == KindSkipped
}

// leave decides about what failed writes of the chain's last record left. p is the
// record after the last one, nil at the end of the log, which may be open.
func (c *chainState) leave(p *parsed, open bool, report *Report) {
	if p != nil {
		for _, r := range c.rivals { // the record after it says which is in the chain
			if r.mac == p.link.Prev {
				c.mac, c.kind = r.mac, r.kind
			}
		}
	}
	if c.kind == KindSkipped {
		report.note(Finding{Line: c.line, Kind: Unwritten, Stream: c.name, Seq: c.next - 1, Detail: "the sink did not take the record of this number, as the line says"})
	}
	told := p == nil && open || p != nil && p.link.Seq == c.next && p.link.Again >= len(c.strays)
	for _, line := range c.strays {
		if told {
			report.note(Finding{Line: line, Kind: Repeated, Stream: c.name, Seq: c.next - 1, Detail: "a write failed and was repeated, as the chain says"})
		} else {
			report.find(Finding{Line: line, Kind: Inserted, Stream: c.name, Seq: c.next - 1, Detail: fmt.Sprintf("a copy of record %d, or a part of it, that the chain does not tell of", c.next-1)})
		}
	}
	c.rivals, c.strays = c.rivals[:0], c.strays[:0]
}
