package securebedrock

import (
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
)

// streamSet holds the streams of a client that may still be open, for its Close.
type streamSet struct {
	mu     sync.Mutex
	open   map[eventStream]*openStream
	closed bool
}

type openStream struct {
	cancel func()
	timer  *time.Timer // closes it, where nobody may be reading
}

// add registers a stream and returns what forgets it.
func (s *streamSet) add(es eventStream, cancel func()) (forget func()) {
	s.mu.Lock()
	if s.open == nil {
		s.open = make(map[eventStream]*openStream)
	}
	s.open[es] = &openStream{cancel: cancel}
	closed := s.closed
	s.mu.Unlock()
	if closed {
		cancel()
	}
	return func() {
		s.mu.Lock()
		if o := s.open[es]; o != nil && o.timer == nil { // otherwise closeAfter's to forget
			delete(s.open, es)
		}
		s.mu.Unlock()
	}
}

// closeAfter closes a stream after d, whose body ends with an error by then: an
// event that nobody takes still holds the SDK's goroutines. What is left is taken
// first, so that the stream comes to its error: closed outright, it would seem to
// end well to somebody who is slow to read it.
func (s *streamSet) closeAfter(es eventStream, d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.open[es]
	if o == nil {
		o = new(openStream)
		s.open[es] = o
	}
	if o.timer != nil {
		return
	}
	if s.closed { // since the caller of closeAfter has asked
		d = min(d, closeGrace)
	}
	o.timer = time.AfterFunc(d, func() {
		takeAll(es)
		es.Close()
		s.mu.Lock()
		delete(s.open, es)
		s.mu.Unlock()
	})
}

// cancelAll ends the streams with an error, which someone who reads will see.
// Closed outright, a stream would seem to end well.
func (s *streamSet) cancelAll() {
	s.mu.Lock()
	s.closed = true
	var all []func()
	for _, o := range s.open {
		if o.cancel != nil {
			all = append(all, o.cancel)
		}
		if o.timer != nil {
			o.timer.Reset(closeGrace)
		}
	}
	s.mu.Unlock()
	for _, cancel := range all {
		cancel()
	}
}

// takeAll takes the events that nobody has read.
func takeAll(es eventStream) {
	switch es := es.(type) {
	case *bedrockruntime.ConverseStreamEventStream:
		for range es.Events() {
		}
	case *bedrockruntime.InvokeModelWithResponseStreamEventStream:
		for range es.Events() {
		}
	case *bedrockruntime.InvokeModelWithBidirectionalStreamEventStream:
		for range es.Events() {
		}
	}
}
