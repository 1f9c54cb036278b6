package audit

import "fmt"

// stray says whether a damaged line is what a failed write of p left, a record of
// chain c in its place or once more.
func (s *scan) stray(c *chainState, p *parsed, text []byte) bool {
	wholes, skipped := [][]byte{p.raw}, p.kind == KindSkipped
	if p.link.Seq == c.next-1 { // once more
		if c == s.recent {
			wholes = append(wholes, s.last)
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

// again takes a record of the last one's number, as failed writes leave them: a
// copy, or a KindSkipped in the other's place. The next record tells of them.
func (s *scan) again(n int, c *chainState, p *parsed) bool {
	if p.link.Seq != c.next-1 || c.line == 0 || p.link.Prev != c.prev {
		return false
	}
	known := p.mac == c.mac
	for _, r := range c.rivals {
		known = known || r.mac == p.mac
	}
	if !known && p.kind != KindSkipped && c.kind != KindSkipped {
		return false
	}
	if len(s.damaged) > 0 {
		s.resolve(c, p)
	}
	c.strays = append(c.strays, n)
	if !known {
		c.rivals = append(c.rivals, rival{p.mac, p.kind})
	}
	return true
}

// leave decides about what failed writes of chain c's last record left, at the
// record after it or, with none, at the end.
func (s *scan) leave(n int, c *chainState, p *parsed) {
	if p != nil {
		for _, r := range c.rivals { // the record after it says which is in the chain
			if r.mac == p.link.Prev {
				c.mac, c.kind = r.mac, r.kind
			}
		}
	}
	if c.kind == KindSkipped {
		s.note(Finding{Line: c.line, Kind: Unwritten, Stream: c.name, Seq: c.next - 1, Detail: "the sink did not take the record of this number, as the line says"})
	}
	told := p == nil && s.v.Open || p != nil && p.link.Seq == c.next && p.link.Again >= len(c.strays)
	for _, line := range c.strays {
		if told {
			s.note(Finding{Line: line, Kind: Repeated, Stream: c.name, Seq: c.next - 1, Detail: "a write failed and was repeated, as the chain says"})
		} else {
			s.find(Finding{Line: line, Kind: Inserted, Stream: c.name, Seq: c.next - 1, Detail: fmt.Sprintf("a copy of record %d, or a part of it, that the chain does not tell of", c.next-1)})
		}
	}
	c.rivals, c.strays = c.rivals[:0], c.strays[:0]
}
