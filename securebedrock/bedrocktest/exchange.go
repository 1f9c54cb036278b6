package bedrocktest

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"

	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/conversation"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/family"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/guardrail"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/rules"
	"github.com/securebedrock/securebedrock-go/securebedrock/bedrocktest/internal/testmodel"
)

// chats runs prompts through the guardrails and the model.
type chats struct {
	guardrails *guardrail.Registry
	model      *testmodel.Model
	profiles   *family.Profiles
}

// exchange is one prompt and its answer, with the guardrail's findings.
type exchange struct {
	out   *bedrockruntime.ConverseOutput // as the client sees it
	guard *guardrail.Guardrail           // nil if the request named none
	full  bool                           // the trace also lists what was not detected
	trace bool

	input, output *guardrail.Evaluation // nil if not evaluated
	modelText     []string              // the model's answer, before the guardrail
	modelOut      *bedrockruntime.ConverseOutput
	stop          string // the stop sequence that ended the answer
}

// scope is how an InvokeModel differs from a Converse.
type scope struct {
	invoke bool
	tags   bool // the body has input tags
	// ask asks the model; nil: the server's own.
	ask func(in *bedrockruntime.ConverseInput, start time.Time) (out *bedrockruntime.ConverseOutput, stop string, err error)
}

// exchange runs a prompt through the guardrail, the model and the guardrail again. It
// may change the prompt.
func (s *chats) exchange(in *bedrockruntime.ConverseInput, how scope) (*exchange, error) {
	start := time.Now()
	if how.invoke { // a Converse's have been checked before
		if err := rules.CheckMessages(in.Messages); err != nil {
			return nil, err
		}
	}
	x := &exchange{}
	if c := in.GuardrailConfig; c != nil {
		var err error
		if x.guard, err = s.guardrails.Find(aws.ToString(c.GuardrailIdentifier), aws.ToString(c.GuardrailVersion)); err != nil {
			return nil, err
		}
		x.full = c.Trace == types.GuardrailTraceEnabledFull
		x.trace = x.full || c.Trace == types.GuardrailTraceEnabled
	}
	look := guardrail.Prompt(in, how.invoke, how.tags)
	look.Full = x.full
	if x.guard != nil {
		x.input = x.guard.Evaluate(look)
		if x.input.Blocked {
			x.out = conversation.TextAnswer(x.guard.BlockedInput)
			x.out.StopReason = types.StopReasonGuardrailIntervened
			x.out.Usage = conversation.Usage(0, 0)
			x.out.Metrics = &types.ConverseMetrics{LatencyMs: aws.Int64(testmodel.Milliseconds(start))}
			return x, nil
		}
	}
	ask := s.model.Ask
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

// guardAnswer evaluates the model's answer, and puts the guardrail's result in its
// place.
func (x *exchange) guardAnswer(prompt guardrail.Subject) {
	content := conversation.CloneTexts(conversation.Content(x.out))
	texts := conversation.Texts(content)
	for _, text := range texts {
		x.modelText = append(x.modelText, *text)
	}
	x.output = x.guard.Evaluate(guardrail.Subject{Texts: texts, Answer: texts, Source: prompt.Source, Query: prompt.Query, Full: x.full})
	if !x.output.Blocked && !x.output.Masked {
		return
	}
	guarded := *x.modelOut
	guarded.StopReason = types.StopReasonGuardrailIntervened
	if x.output.Blocked {
		guarded.Output = conversation.TextAnswer(x.guard.BlockedOutput).Output
	} else {
		guarded.Output = &types.ConverseOutputMemberMessage{Value: types.Message{
			Role: types.ConversationRoleAssistant, Content: content,
		}}
	}
	x.out = &guarded
}

// result returns the answer with its trace.
func (x *exchange) result() *bedrockruntime.ConverseOutput {
	out := *x.out
	if assessment := x.assessment(); assessment != nil {
		out.Trace = &types.ConverseTrace{Guardrail: assessment, PromptRouter: x.router()}
	}
	return &out
}

// router returns the prompt router's trace, which only a Reply can have.
func (x *exchange) router() *types.PromptRouterTrace {
	if x.out.Trace == nil {
		return nil
	}
	return x.out.Trace.PromptRouter
}

// assessment returns the guardrail's trace, nil if there is none. A trace in the Reply
// takes precedence, since an enforced guardrail is traced without being asked.
func (x *exchange) assessment() *types.GuardrailTraceAssessment {
	if x.out.Trace != nil && x.out.Trace.Guardrail != nil {
		return x.out.Trace.Guardrail
	}
	if x.guard == nil || !x.trace {
		return nil
	}
	t := &types.GuardrailTraceAssessment{
		ActionReason:    aws.String(x.reason()),
		InputAssessment: map[string]types.GuardrailAssessment{x.guard.ID: x.input.Assessment},
		ModelOutput:     x.modelText,
	}
	if x.output != nil {
		t.OutputAssessments = map[string][]types.GuardrailAssessment{x.guard.ID: {x.output.Assessment}}
	}
	return t
}

func (x *exchange) reason() string {
	all := *x.input
	if x.output != nil {
		all.Blocked = all.Blocked || x.output.Blocked
		all.Masked = all.Masked || x.output.Masked
	}
	return all.Reason()
}

// intervened reports whether a guardrail changed anything.
func (x *exchange) intervened() bool {
	return x.guard != nil && x.reason() != guardrail.ReasonNone || x.out.StopReason == types.StopReasonGuardrailIntervened
}

// streamed returns the content that a stream carries. In sync mode the guardrail has
// evaluated all of it. In async mode the text is sent before the guardrail has
// evaluated it: the text is not masked, and the blocked message follows it
// (https://docs.aws.amazon.com/bedrock/latest/userguide/guardrails-streaming.html).
func (x *exchange) streamed(async bool) []types.ContentBlock {
	content := conversation.Content(x.out)
	if !async || x.modelOut == nil {
		return content
	}
	leaked := conversation.Content(x.modelOut)
	if x.output != nil && x.output.Blocked {
		return append(conversation.CloneTexts(leaked), content...)
	}
	return leaked
}

// promptBlocked reports whether the guardrail blocked the prompt, so that no model was
// asked.
func (x *exchange) promptBlocked() bool { return x.input != nil && x.input.Blocked }
