package bedrocktest

import "github.com/securebedrock/securebedrock-go/internal/wire"

func (s *chats) converse(w *responder, r *request) error {
	// The model gets an input of its own, since the call keeps what was received.
	in, err := wire.DecodeConverse(&r.parts)
	if err != nil {
		return err
	}
	done, err := s.exchange(in, scope{})
	if err != nil {
		return err
	}
	return w.respond(done.result())
}
