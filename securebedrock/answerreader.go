package securebedrock

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
	"github.com/aws/smithy-go"
)

// answerReader reads into an Outcome what an answer tells about its call.
type answerReader struct {
	trace  guardrailTrace
	events *eventCodec
}

func (r *answerReader) converse(out *bedrockruntime.ConverseOutput, o *Outcome, _ *tally) {
	o.StopReason = string(out.StopReason)
	o.converseUsage(out.Usage, out.ServiceTier)
	if out.Trace != nil {
		r.trace.read(out.Trace.Guardrail, &o.Guardrail)
	}
	if out.StopReason == types.StopReasonGuardrailIntervened {
		o.Guardrail.Intervened = true
	}
}

func (r *answerReader) invokeModel(out *bedrockruntime.InvokeModelOutput, o *Outcome, t *tally) {
	r.body(out.Body, o, t)
}

func (r *answerReader) applyGuardrail(out *bedrockruntime.ApplyGuardrailOutput, o *Outcome, _ *tally) {
	for i := range out.Assessments {
		r.trace.assessment(&out.Assessments[i], &o.Guardrail)
	}
	if out.Action == types.GuardrailActionGuardrailIntervened {
		o.Guardrail.Intervened = true
	}
}

func (r *answerReader) countTokens(out *bedrockruntime.CountTokensOutput, o *Outcome, _ *tally) {
	o.Usage.InputTokens, o.Counted = int64(aws.ToInt32(out.InputTokens)), out.InputTokens != nil
}

// body reads an InvokeModel body, or the payload of a stream's chunk.
func (r *answerReader) body(body []byte, o *Outcome, t *tally) {
	b, ok := parseInvoke(body)
	if ok {
		b.into(o, t)
		for _, raw := range b.assessments() {
			r.trace.read(r.events.decodeAssessments(raw), &o.Guardrail)
		}
	}
	t.into(o)
}

// chunk reads the content of a chunk of InvokeModelWithResponseStream. Most chunks are text. A chunk
// is parsed only where a word shows that it tells something about the call.
func (r *answerReader) chunk(body []byte, o *Outcome, t *tally) {
	if !o.Counted {
		t.into(o) // what the headers told
	}
	if tellsMore(body) {
		r.body(body, o, t)
	}
}

// event reads the two events of a ConverseStream that are about the call.
func (r *answerReader) event(ev smithy.Deserializable, o *Outcome) {
	switch ev := ev.(type) {
	case *types.MessageStopEvent:
		o.StopReason = string(ev.StopReason)
		if ev.StopReason == types.StopReasonGuardrailIntervened {
			o.Guardrail.Intervened = true
		}
	case *types.ConverseStreamMetadataEvent:
		o.converseUsage(ev.Usage, ev.ServiceTier)
		if ev.Trace != nil {
			r.trace.read(ev.Trace.Guardrail, &o.Guardrail)
		}
	}
}
