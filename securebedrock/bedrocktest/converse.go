package bedrocktest

import (
	"net/http"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/schemas"
	"github.com/aws/aws-sdk-go-v2/service/bedrockruntime/types"
)

func (s *Server) converse(w http.ResponseWriter, r *request) error {
	// The model gets an input of its own: the call keeps what was received.
	in, err := converseBody(r, schemas.ConverseRequest)
	if err != nil {
		return err
	}
	done, err := s.exchange(unary(in), scope{})
	if err != nil {
		return err
	}
	return s.respond(w, r, http.StatusOK, done.output())
}

// exchange is one prompt and its answer, with what the guardrail said of both.
type exchange struct {
	out   *bedrockruntime.ConverseOutput // as the client is to see it
	guard *guardrail                     // nil if the request named none
	full  bool                           // the trace is to hold what was not detected, too
	trace bool

	input, answer *evaluation // nil if not evaluated
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
func (s *Server) exchange(in *bedrockruntime.ConverseInput, how scope) (*exchange, error) {
	start := time.Now()
	if how.invoke { // validate has checked those of a Converse
		if err := checkMessages(in.Messages); err != nil {
			return nil, err
		}
	}
	x := &exchange{}
	if c := in.GuardrailConfig; c != nil {
		var err error
		if x.guard, err = s.guardrails.find(s.settings.region, aws.ToString(c.GuardrailIdentifier), aws.ToString(c.GuardrailVersion)); err != nil {
			return nil, err
		}
		x.full = c.Trace == types.GuardrailTraceEnabledFull
		x.trace = x.full || c.Trace == types.GuardrailTraceEnabled
	}
	look := promptOf(in, how)
	look.full = x.full
	if x.guard != nil {
		x.input = x.guard.evaluate(look)
		if x.input.blocked {
			x.out = Text(x.guard.BlockedInput)
			x.out.StopReason = types.StopReasonGuardrailIntervened
			x.out.Usage = usage(0, 0)
			x.out.Metrics = &types.ConverseMetrics{LatencyMs: aws.Int64(milliseconds(start))}
			return x, nil
		}
	}
	ask := s.ask
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
	x.answer = x.guard.evaluate(evaluated{texts: texts, answer: texts, source: prompt.source, query: prompt.query, full: x.full})
	if !x.answer.blocked && !x.answer.masked {
		return
	}
	guarded := *x.modelOut
	guarded.StopReason = types.StopReasonGuardrailIntervened
	if x.answer.blocked {
		guarded.Output = Text(x.guard.BlockedOutput).Output
	} else {
		guarded.Output = &types.ConverseOutputMemberMessage{Value: types.Message{
			Role: types.ConversationRoleAssistant, Content: content,
		}}
	}
	x.out = &guarded
}

// output is the answer with its trace.
func (x *exchange) output() *bedrockruntime.ConverseOutput {
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
		InputAssessment: map[string]types.GuardrailAssessment{x.guard.ID: x.input.assessment},
		ModelOutput:     x.modelText,
	}
	if x.answer != nil {
		t.OutputAssessments = map[string][]types.GuardrailAssessment{x.guard.ID: {x.answer.assessment}}
	}
	return t
}

func (x *exchange) reason() string {
	all := *x.input
	if x.answer != nil {
		all.blocked = all.blocked || x.answer.blocked
		all.masked = all.masked || x.answer.masked
	}
	return all.reason()
}

// intervened reports whether a guardrail changed anything.
func (x *exchange) intervened() bool {
	return x.guard != nil && x.reason() != reasonNone || x.out.StopReason == types.StopReasonGuardrailIntervened
}

// cloneTexts copies content so far that its texts can be changed.
func cloneTexts(content []types.ContentBlock) []types.ContentBlock {
	out := make([]types.ContentBlock, len(content))
	for i, block := range content {
		switch b := block.(type) {
		case *types.ContentBlockMemberText:
			block = &types.ContentBlockMemberText{Value: b.Value}
		case *types.ContentBlockMemberCitationsContent:
			copied := b.Value
			copied.Content = nil
			for _, part := range b.Value.Content {
				if text, ok := part.(*types.CitationGeneratedContentMemberText); ok {
					part = &types.CitationGeneratedContentMemberText{Value: text.Value}
				}
				copied.Content = append(copied.Content, part)
			}
			block = &types.ContentBlockMemberCitationsContent{Value: copied}
		}
		out[i] = block
	}
	return out
}

// checkMessages refuses what Bedrock refuses of any model.
func checkMessages(messages []types.Message) error {
	if len(messages) == 0 {
		return invalid("The messages field is empty. Add a Message object to the messages field and try again.")
	}
	if messages[0].Role != types.ConversationRoleUser {
		return invalid("A conversation must start with a user message. Try again with a conversation that starts with a user message.")
	}
	for i, m := range messages {
		if m.Role != types.ConversationRoleUser && m.Role != types.ConversationRoleAssistant && m.Role != types.ConversationRoleSystem {
			return invalid("The role field in the Message object at messages.%d is invalid.", i)
		}
		if len(m.Content) == 0 {
			return invalid("The content field in the Message object at messages.%d is empty. Add a ContentBlock object to the content field and try again.", i)
		}
		for j, block := range m.Content {
			if text, ok := block.(*types.ContentBlockMemberText); ok && strings.TrimSpace(text.Value) == "" {
				return invalid("The text field in the ContentBlock object at messages.%d.content.%d is blank. Add text to the text field, and try again.", i, j)
			}
		}
	}
	return nil
}
