package securebedrock

import (
	"sync"
	"time"
)

// closeGrace is how long a reader has, after the client's Close, to come to the
// error of its stream.
const closeGrace = time.Second

// streamSet holds the streams of a client that may still be open, for its Close.
type streamSet struct {
	mu     sync.Mutex
	open   map[eventStream]*openStream
	closed bool

	patience time.Duration // for a reader of a cancelled stream; set once
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
		if o := s.open[es]; o != nil && o.timer == nil { // otherwise closeLater forgets it
			delete(s.open, es)
		}
		s.mu.Unlock()
	}
}

// closeLater closes a cancelled stream once its reader had time to take what is left.
// An event that nobody takes still holds the SDK's goroutines. closeLater takes the
// events that are left first, so that the stream comes to its error. A slow reader
// would otherwise take the end for a proper one.
func (s *streamSet) closeLater(es eventStream) {
	d := s.patience
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
	if s.closed { // the client was closed meanwhile
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
