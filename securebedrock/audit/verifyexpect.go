package audit

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
)

// expectations are the checkpoints that were kept elsewhere.
type expectations struct {
	report *Report
	named  map[string]bool // the chains that the log may hold; nil: any
	all    []*expected
	of     map[place][]*expected // by the record that a checkpoint speaks of
	self   map[place][]*expected // by the checkpoint's own place
}

// expected is a kept checkpoint.
type expected struct {
	cp        Checkpoint
	of, self  bool // seen
	otherwise int  // the line of another record in one of the places
}

// newExpectations reads Verifier.Expect, After and Streams.
func newExpectations(v *Verifier, report *Report) *expectations {
	x := &expectations{report: report, of: map[place][]*expected{}, self: map[place][]*expected{}}
	if !v.AnyStream {
		x.named = map[string]bool{}
		for _, name := range v.Streams {
			x.named[name] = true
		}
	}
	name := func(stream string) {
		if x.named != nil {
			x.named[stream] = true
		}
	}
	if v.After != nil && v.After.Stream != "" {
		name(v.After.Stream)
	}
	for _, cp := range v.Expect {
		if key := v.Keys.signer(cp.Signer); !cp.Verify(key) {
			report.find(Finding{Kind: Forged, Stream: cp.Stream, Seq: cp.Seq, Detail: fmt.Sprintf("an expected checkpoint of record %d of chain %s has not the signature of a signer among those given", cp.Seq, word(cp.Stream))})
			continue
		}
		name(cp.Stream)
		e := &expected{cp: cp, of: cp.Seq == 0}
		if t := v.After; t != nil && t.Stream == cp.Stream {
			if cp.Seq < t.Seq {
				continue // of the earlier part
			}
			if cp.Seq == t.Seq {
				e.of = cp.MAC == t.MAC
			}
		}
		x.add(e)
	}
	return x
}

func (x *expectations) add(e *expected) {
	at := place{e.cp.Stream, e.cp.Seq}
	if i := slices.IndexFunc(x.of[at], func(o *expected) bool { return o.cp.MAC != e.cp.MAC }); i >= 0 {
		x.report.find(Finding{Kind: Forked, Stream: at.stream, Seq: at.seq, Detail: fmt.Sprintf(
			"two expected checkpoints speak of two records %d of chain %s: the log was cut back and went on, or was continued twice", at.seq, at.stream)})
	}
	x.all = append(x.all, e)
	x.of[at] = append(x.of[at], e)
	at.seq++
	x.self[at] = append(x.self[at], e)
}

// met compares a record with what is expected in its place.
func (x *expectations) met(n int, p *parsed) {
	if len(x.all) == 0 {
		return
	}
	at := place{p.link.Stream, p.link.Seq}
	for _, e := range x.of[at] {
		if e.cp.MAC == p.mac {
			e.of = true
		} else if e.otherwise == 0 {
			e.otherwise = n
		}
	}
	self := x.self[at]
	if len(self) == 0 {
		return
	}
	var cp *Checkpoint
	if p.kind == KindCheckpoint {
		cp, _ = p.checkpoint()
	}
	for _, e := range self {
		if cp != nil && cp.Closing == e.cp.Closing && cp.MAC == e.cp.MAC && bytes.Equal(cp.Signature, e.cp.Signature) {
			e.self = true
		} else if e.otherwise == 0 {
			e.otherwise = n
		}
	}
}

// end tells of the checkpoints that were not met.
func (x *expectations) end() {
	slices.SortStableFunc(x.all, func(a, b *expected) int {
		return cmp.Or(cmp.Compare(a.cp.Stream, b.cp.Stream), cmp.Compare(a.cp.Seq, b.cp.Seq))
	})
	for _, e := range x.all {
		f := Finding{Stream: e.cp.Stream, Seq: e.cp.Seq}
		switch {
		case e.of && e.self:
			continue
		case e.otherwise > 0:
			f.Line, f.Kind, f.Detail = e.otherwise, Forked, fmt.Sprintf("another record stands in the place of the one that an expected checkpoint of record %d speaks of, or of the checkpoint", e.cp.Seq)
		case e.of:
			f.Kind, f.Detail = Truncated, fmt.Sprintf("the expected checkpoint of record %d of chain %s is not there", e.cp.Seq, e.cp.Stream)
		default:
			f.Kind, f.Detail = Truncated, fmt.Sprintf("record %d of chain %s, which an expected checkpoint speaks of, is not there", e.cp.Seq, e.cp.Stream)
		}
		x.report.find(f)
	}
}

// foreign tells of a chain's first record where the log may not hold that chain.
func (x *expectations) foreign(n int, p *parsed) {
	switch {
	case x.named == nil || x.named[p.link.Stream]:
	case len(x.named) == 0 && x.report.Streams == 1: // nothing names the log's chain
	default:
		x.report.find(Finding{Line: n, Kind: Inserted, Stream: p.link.Stream, Seq: p.link.Seq, Detail: fmt.Sprintf("a chain begins here that the log may not hold: %s", word(p.link.Stream))})
	}
}

type place struct {
	stream string
	seq    uint64
}
