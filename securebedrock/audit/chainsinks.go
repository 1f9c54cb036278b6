package audit

import (
	"errors"
	"fmt"
)

// Continuable is a Sink that knows what it holds from before. Chain refuses to
// begin a chain behind other records.
type Continuable interface {
	Sink
	// Size is the number of bytes of the records that the sink holds.
	Size() (int64, error)
}

// Repeater is a Sink that may store a record more than once, as one does that sends
// again what was not answered. Each record of its chain says so (Link.Repeats), and
// to Verify a copy of it, byte for byte, is a note.
type Repeater interface {
	Sink
	MayRepeat() bool
}

func mayRepeat(s Sink) (yes bool) {
	eachSink(s, func(s Sink) {
		if r, ok := s.(Repeater); ok && r.MayRepeat() {
			yes = true
		}
	})
	return yes
}

// numbering is a chain. Its method returns the sink itself: a type that embeds a
// chain has the method, and is another sink.
type numbering interface{ numbers() Sink }

// checkNext refuses what a chain cannot stand before.
func checkNext(next Sink, resume *Tail, fault func(field, detail string)) {
	var inner, several bool
	eachSink(next, func(s Sink) {
		switch s := s.(type) {
		case numbering:
			inner = inner || s.numbers() == s.(Sink)
		case multi:
			several = several || len(s) > 1
		}
		c, ok := s.(Continuable)
		if !ok {
			return
		}
		switch size, err := c.Size(); {
		case err != nil:
			fault("next", fmt.Sprintf("the sink does not tell what it holds: %v", err))
		case resume == nil && size > 0:
			fault("Resume", fmt.Sprintf("the sink holds %d bytes of records already; give what its Tail returns, or another file", size))
		case resume != nil && size > 0 && resume.Stream == "" && resume.TornBytes == 0:
			fault("Resume", fmt.Sprintf("the sink holds %d bytes of records already, and the Tail that is given is of an empty log; give what the sink's Tail returns", size))
		case resume != nil && resume.size > 0 && resume.size != size:
			fault("Resume", fmt.Sprintf("the sink holds %d bytes, and held %d when its Tail was read; read it again", size, resume.size))
		case resume != nil && size == 0 && resume.Stream == "" && resume.TornBytes > 0:
			fault("Resume", "the sink holds nothing, and the Tail that is given is of another log; give what the sink's Tail returns")
		}
	})
	if inner {
		fault("next", "a Chain stands before another, and only one can give the numbers; take one of them out")
	}
	if several {
		fault("next", "Multi has several sinks, and where one fails it is not known which of them have the record; give each a chain of its own: Multi(Chain(a), Chain(b))")
	}
}

// certainly says whether err of a Write to s means that nothing is stored.
func certainly(s Sink, err error) bool {
	if _, ok := s.(SinkFunc); ok { // it may stand for several sinks
		return false
	}
	return errors.Is(err, ErrNotWritten) || errors.Is(err, ErrFull) || errors.Is(err, ErrClosed) || errors.Is(err, ErrDropped)
}
