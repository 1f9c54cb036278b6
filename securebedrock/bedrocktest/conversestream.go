package bedrocktest

import (
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/internal/wire"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
)

func (s *chats) converseStream(w *responder, r *request) error {
	in, err := wire.DecodeConverseStream(&r.parts)
	if err != nil {
		return err
	}
	async := in.GuardrailConfig != nil && in.GuardrailConfig.StreamProcessingMode == types.GuardrailStreamProcessingModeAsync
	done, err := s.exchange(wire.Unary(in), scope{})
	if err != nil {
		return err
	}
	events, err := conversation.Events(done.out, done.streamed(async), done.streamTrace())
	if err != nil {
		return err
	}
	openStream(w).writeAll(events)
	return nil
}

// streamTrace returns the trace of a streamed answer, nil if there is none.
func (x *exchange) streamTrace() *types.ConverseStreamTrace {
	assessment, router := x.assessment(), x.router()
	if assessment == nil && router == nil {
		return nil
	}
	return &types.ConverseStreamTrace{Guardrail: assessment, PromptRouter: router}
}
