package securebedrock

import (
	"io"
)

// streamEnd is how the body of a stream came to its end. The first event that ends an
// open stream decides. A closed body may end in any state but open:
//
//	event                        open     ended    broken   left
//	the body's proper end        ended    ended    broken   left
//	an error, or an early end    broken   ended    broken   left
//	the context is over          broken   ended    broken   left
//	the body is closed           left     ended    broken   left
type streamEnd struct {
	state  streamState
	closed bool  // the body
	fault  error // of a broken stream
}

type streamState int

const (
	streamOpen   streamState = iota
	streamEnded              // the body was read to its proper end
	streamBroken             // the body ended with an error, or the context did
	streamLeft               // the body was closed before its end
)

// read notes the last error of the body; io.EOF is a proper end.
func (e *streamEnd) read(err error) {
	switch {
	case e.state != streamOpen:
	case err == io.EOF:
		e.state = streamEnded
	default:
		e.state, e.fault = streamBroken, err
	}
}

// cut notes that the context is over. It reports whether the stream is broken and
// open still, so that nobody else completes its record. seen is what the caller has
// seen of the end before, which stands.
func (e *streamEnd) cut(cause, seen error) bool {
	if e.closed || e.state == streamEnded {
		return false
	}
	e.read(cause)
	if seen != nil {
		e.fault = seen
	}
	return true
}

// close notes that the body is closed.
func (e *streamEnd) close() {
	e.closed = true
	if e.state == streamOpen {
		e.state = streamLeft
	}
}

// outcome is the error of the record, and whether the caller ended the
// stream. seen is the error that the caller got from the stream, cause why the
// context is over.
func (e *streamEnd) outcome(seen, cause error) (canceled bool, err error) {
	err = e.fault
	if seen != nil {
		err = seen
	}
	if err == nil && e.state == streamLeft {
		err = cause // closed after its context was cancelled
	}
	return canceledByCaller(err) || err == nil && e.state == streamLeft, err
}
