package bedrocktest

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

// chats runs prompts through the guardrails and the model.
type chats struct {
	guardrails *guardrails
	model      *model
	profiles   *profiles
}

// exchange is one prompt and its answer, with what the guardrail said of both.
type exchange struct {
	out   *bedrockruntime.ConverseOutput // as the client is to see it
	guard *guardrail                     // nil if the request named none
	full  bool                           // the trace is to hold what was not detected, too
	trace bool

	input, output *evaluation // nil if not evaluated
	modelText     []string    // the model's answer before the guardrail
	modelOut      *bedrockruntime.ConverseOutput
	stop          string // the stop sequence that ended the answer
}

// scope is what an InvokeModel has otherwise than a Converse.
type scope struct {
	invoke bool
	tags   bool // the body has input tags
	// ask asks the model; nil: Reply, or the default answer.
	ask func(in *bedrockruntime.ConverseInput, start time.Time) (out *bedrockruntime.ConverseOutput, stop string, err error)
}

// exchange runs a prompt, which it owns, through the guardrail, the model and
// the guardrail again.
func (s *chats) exchange(in *bedrockruntime.ConverseInput, how scope) (*exchange, error) {
	start := time.Now()
	if how.invoke { // those of a Converse have been checked
		if err := checkMessages(in.Messages); err != nil {
			return nil, err
		}
	}
	x := &exchange{}
	if c := in.GuardrailConfig; c != nil {
		var err error
		if x.guard, err = s.guardrails.find(aws.ToString(c.GuardrailIdentifier), aws.ToString(c.GuardrailVersion)); err != nil {
			return nil, err
		}
		x.full = c.Trace == types.GuardrailTraceEnabledFull
		x.trace = x.full || c.Trace == types.GuardrailTraceEnabled
	}
	look := promptOf(in, how.invoke, how.tags)
	look.full = x.full
	if x.guard != nil {
		x.input = x.guard.evaluate(look)
		if x.input.blocked {
			x.out = textAnswer(x.guard.blockedInput)
			x.out.StopReason = types.StopReasonGuardrailIntervened
			x.out.Usage = usage(0, 0)
			x.out.Metrics = &types.ConverseMetrics{LatencyMs: aws.Int64(milliseconds(start))}
			return x, nil
		}
	}
	ask := s.model.ask
	if how.ask != nil {
		ask = how.ask
	}
	out, stop, err := ask(in, start)
	if err != nil {
		return nil, err
	}
	x.stop = stop
	x.out, x.modelOut = out, out
	if x.guard != nil {
		x.guardAnswer(look)
	}
	return x, nil
}

// guardAnswer evaluates the model's answer and puts in its place what the
// guardrail makes of it.
func (x *exchange) guardAnswer(prompt evaluated) {
	content := cloneTexts(contentOf(x.out))
	texts := messageTexts(content)
	for _, text := range texts {
		x.modelText = append(x.modelText, *text)
	}
	x.output = x.guard.evaluate(evaluated{texts: texts, answer: texts, source: prompt.source, query: prompt.query, full: x.full})
	if !x.output.blocked && !x.output.masked {
		return
	}
	guarded := *x.modelOut
	guarded.StopReason = types.StopReasonGuardrailIntervened
	if x.output.blocked {
		guarded.Output = textAnswer(x.guard.blockedOutput).Output
	} else {
		guarded.Output = &types.ConverseOutputMemberMessage{Value: types.Message{
			Role: types.ConversationRoleAssistant, Content: content,
		}}
	}
	x.out = &guarded
}

// output is the answer with its trace.
func (x *exchange) result() *bedrockruntime.ConverseOutput {
	out := *x.out
	if assessment := x.assessment(); assessment != nil {
		out.Trace = &types.ConverseTrace{Guardrail: assessment, PromptRouter: x.router()}
	}
	return &out
}

// router is the prompt router's trace, which only a Reply has.
func (x *exchange) router() *types.PromptRouterTrace {
	if x.out.Trace == nil {
		return nil
	}
	return x.out.Trace.PromptRouter
}

// assessment is the guardrail's trace, nil if there is none. A Reply's own goes
// before the one that was asked for: an enforced guardrail needs no asking.
func (x *exchange) assessment() *types.GuardrailTraceAssessment {
	if x.out.Trace != nil && x.out.Trace.Guardrail != nil {
		return x.out.Trace.Guardrail
	}
	if x.guard == nil || !x.trace {
		return nil
	}
	t := &types.GuardrailTraceAssessment{
		ActionReason:    aws.String(x.reason()),
		InputAssessment: map[string]types.GuardrailAssessment{x.guard.id: x.input.assessment},
		ModelOutput:     x.modelText,
	}
	if x.output != nil {
		t.OutputAssessments = map[string][]types.GuardrailAssessment{x.guard.id: {x.output.assessment}}
	}
	return t
}

func (x *exchange) reason() string {
	all := *x.input
	if x.output != nil {
		all.blocked = all.blocked || x.output.blocked
		all.masked = all.masked || x.output.masked
	}
	return all.reason()
}

// intervened reports whether a guardrail changed anything.
func (x *exchange) intervened() bool {
	return x.guard != nil && x.reason() != reasonNone || x.out.StopReason == types.StopReasonGuardrailIntervened
}

// streamed is the content that a stream carries. In sync mode the guardrail
// has seen it all; in async mode the text is on its way before the guardrail
// has judged it: it is not masked, and the blocked message only follows it
// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-streaming.html).
func (x *exchange) streamed(async bool) []types.ContentBlock {
	content := contentOf(x.out)
	if !async || x.modelOut == nil {
		return content
	}
	leaked := contentOf(x.modelOut)
	if x.output != nil && x.output.blocked {
		return append(cloneTexts(leaked), content...)
	}
	return leaked
}

// promptBlocked reports whether the guardrail blocked the prompt, so that no model
// was asked.
func (x *exchange) promptBlocked() bool { return x.input != nil && x.input.blocked }
