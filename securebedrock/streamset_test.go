package securebedrock

import (
	"testing"
	"testing/synctest"
	"time"
)

// quietStream is a stream whose Close is noted.
type quietStream struct{ closed chan struct{} }

func (s *quietStream) Close() error { close(s.closed); return nil }
func (s *quietStream) Err() error   { return nil }

// A stream whose context ends as the client is closed may come to closeLater before
// the Close and after it. It is closed within the same time.
func TestStreamsAreClosedSoonAfterTheClient(t *testing.T) {
	for name, order := range map[string]func(set *streamSet, es eventStream){
		"the context ends before the Close": func(set *streamSet, es eventStream) { set.closeLater(es); set.cancelAll() },
		"the context ends after the Close":  func(set *streamSet, es eventStream) { set.cancelAll(); set.closeLater(es) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				set, es := &streamSet{patience: time.Hour}, &quietStream{closed: make(chan struct{})}
				set.add(es, func() {})
				order(set, es)
				select {
				case <-es.closed:
				case <-time.After(2 * closeGrace):
					t.Errorf("the stream is not closed within %v", 2*closeGrace)
				}
			})
		})
	}
}
