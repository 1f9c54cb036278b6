package bedrocktest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A panic of the server's own is told and answered; where the answer has begun, it
// is told and the answer breaks off.
func TestAnswerPanics(t *testing.T) {
	for name, begun := range map[string]bool{"before the answer": false, "in the midst of it": true} {
		t.Run(name, func(t *testing.T) {
			told := &notes{TB: t}
			s := NewServer(t)
			s.complaints.tb = told
			w := &responder{http: httptest.NewRecorder(), record: func(int) {}}
			p := &pipeline{complaints: &s.complaints}
			var err error
			broken := func() (v any) {
				defer func() { v = recover() }()
				err = p.answer(operation{name: "Converse", answer: func(w *responder, _ *request) error {
					if begun {
						w.begin(http.StatusOK)
					}
					panic("a bug")
				}}, w, &request{})
				return nil
			}()
			if begun {
				if broken != http.ErrAbortHandler || len(told.said) != 1 {
					t.Errorf("%v, %q", broken, told.said)
				}
				return
			}
			if e := p.errorOf(err); e.Code != "InternalServerException" || !strings.Contains(e.Message, "Converse panicked: a bug") || len(told.said) != 1 {
				t.Errorf("%v, %q", err, told.said)
			}
		})
	}
}
